"""How often one visit and one address ask: counted in the server's memory alone, and written nowhere."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from qa.limits import Limiter, address_of
from qa.settings import Limits

_SECONDS = 60.0


class QuestionLimits:
    """The limits of the settings, over a minute. A visit is one connection, so the address's limit stands behind it."""

    def __init__(self, limits: Limits) -> None:
        self._trusted = limits.trusted_proxies
        self._visits = Limiter(limits.questions_per_minute, _SECONDS)
        self._addresses = Limiter(limits.questions_per_minute_and_address, _SECONDS)

    def allow_one_more(self) -> bool:
        """Count a question of the visitor whose page is being drawn; False when it is one too many.

        What is over the visit's own limit does not count against its address, which others may share.
        """
        run = get_script_run_ctx()
        visit = run.session_id if run is not None else ""
        forwarded = st.context.headers.get_all("X-Forwarded-For")
        address = address_of(st.context.ip_address, forwarded, self._trusted)
        return self._visits.allows(visit) and self._addresses.allows(address)
