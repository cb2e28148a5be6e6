"""Draws the PDF and DOCX files of the sample corpus from the texts in `text/`."""
