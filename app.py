"""The patient's page, for `streamlit run app.py`."""

import streamlit as st

from qa.web import app_parts

# What `qa.web.create_app` does, written out: `streamlit run` reads this file and looks for this very call.
app = st.App(**app_parts())
