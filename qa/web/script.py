"""What Streamlit runs for each visitor, again at every click: one of the pages that there are for this one."""

import streamlit as st

from qa.web import desk, patient
from qa.web.asking import forget
from qa.web.identity import Role
from qa.web.service import current_service


def pages() -> list[st.Page]:
    """The patient's page, which is everybody's; for somebody signed in, the staff page too.

    To a browser of anybody else, the staff page is an address like any other that does not exist.
    """
    everybody = st.Page(patient.render, title="patient", url_path="", default=True)
    if current_service().identities.current().may(Role.STAFF):
        return [everybody, st.Page(desk.render, title=desk.NAME, url_path=desk.NAME)]
    forget(desk.NAME)
    return [everybody]


st.navigation(pages(), position="hidden").run()
