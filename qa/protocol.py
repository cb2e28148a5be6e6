"""The clinic's emergency protocol, as staff see it beside the guidance when somebody is in danger."""

from __future__ import annotations

import numpy as np

from qa.index.contract import PassageIndex
from qa.models import Candidate, Hit, Signals
from qa.retrieve import Query, find
from qa.settings import Retrieval

_NOT_COMPARED = Signals(0.0, 0.0, 0.0, 0.0, 0.0)


def protocol_hits(
    document_id: str, query: Query | None, index: PassageIndex, settings: Retrieval, top: int
) -> tuple[Hit, ...]:
    """The `top` passages of the protocol nearest to the question; its first ones where nothing could be searched.

    None where the index has no such document, which is for `doctor` to report.
    """
    documents = index.documents()
    protocol = next((document for document in documents if document.id == document_id), None)
    if protocol is None:
        return ()
    if query is not None:
        mask = np.zeros(documents[-1].passages.stop, dtype=bool)
        mask[protocol.passages] = True
        return find(query, index=index, mask=mask, settings=settings, top=top).hits
    first = protocol.passages[:top]
    return tuple(
        Hit(passage, Candidate(number, 0.0, None, None, _NOT_COMPARED), range(number, number + 1))
        for number, passage in zip(first, index.passages(first), strict=True)
    )
