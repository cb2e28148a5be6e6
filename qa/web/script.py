"""What Streamlit runs for each visitor, again at every click."""

from qa.web.patient import render

render()
