"""What a quote rests on: that it stands in its document, where on the page, and the picture of that page."""
