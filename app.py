"""The pages, for `streamlit run app.py`."""

from qa.threads import prefer_one_thread

prefer_one_thread()

import streamlit as st  # noqa: E402 - what Streamlit imports reads the environment

from qa.web import app_parts  # noqa: E402 - likewise

# What `qa.web.create_app` does, written out: `streamlit run` reads this file and looks for this very call.
app = st.App(**app_parts())
