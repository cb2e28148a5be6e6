"""Addresses of documents, for citations. Nothing of a question is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from qa.index.contract import PassageIndex
from qa.models import Citation
from qa.web.opened import Place
from qa.web.public_ids import PublicIds

MARK = "mark"  # the id of the first mark on a document's page
TEXT_MARK = "quote"  # the id of the first mark in its text, where the first of all is on the picture


@dataclass(frozen=True, slots=True)
class Links:
    """Leads from citations to their documents. `index` is the one that the citations were made from.

    Where that is not open any more, the links lead to the documents without marking anything.
    """

    ids: PublicIds
    index: PassageIndex | None

    def link_to(self, citation: Citation, sentences: Sequence[int] = ()) -> str:
        """The address, from the app's own, of the document at this citation, with these sentences marked, or all."""
        document = self.ids.document(citation.document)
        if self.index is None:
            return document_address(Place(document))
        text = self.index.source(citation.document).text
        passage = self.ids.passage(citation.document, text, citation.start)
        return document_address(Place(document, passage, tuple(sentences), citation.page))


def document_address(place: Place) -> str:
    """The address of the page that shows `place`, from the app's own address."""
    return f"./document?{urlencode(place.parameters())}{f'#{MARK}' if place.passage else ''}"


def picture_address(place: Place) -> str:
    """The address of the picture of the page that `place` names."""
    return f"./document/picture?{urlencode(Place(place.document, page=place.page).parameters())}"
