"""One small module per format, each with `read(path) -> Document`; `qa.load` imports them when a file needs them."""
