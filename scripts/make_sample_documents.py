"""Draws the PDF and DOCX files of the sample corpus again; twice in a row gives the same bytes.

    python scripts/make_sample_documents.py [--into FOLDER]

The texts stand in `scripts/sample_documents/text/`. The other documents and all sidecars are kept by hand in `corpus/`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_documents import papers
from sample_documents.handbook import write_handbook
from sample_documents.word import write_word

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def make(folder: Path) -> None:
    """Writes every drawn document below `folder`."""
    patient, staff = folder / "patient", folder / "staff"
    patient.mkdir(parents=True, exist_ok=True)
    staff.mkdir(parents=True, exist_ok=True)
    papers.write_leaflet(patient / "ketamine-and-anxiety.pdf")
    papers.write_consent_form(patient / "consent-form.pdf")
    papers.write_aftercare_guide(patient / "aftercare-guide.pdf")
    papers.write_price_sheet(patient / "price-sheet.pdf")
    papers.write_getting_here(patient / "getting-here-and-parking.pdf")
    papers.write_esketamine(patient / "ketamine-and-esketamine-compared.pdf")
    write_handbook(patient / "how-ketamine-works.pdf")
    papers.write_talking_points(staff / "phone-talking-points.pdf")
    papers.write_checklist(staff / "infusion-room-checklist.pdf")
    write_word(patient / "first-visit.docx", "first-visit", "Leaflet P-07, version 2.3. Front desk 555-0142.")
    write_word(staff / "screening-protocol.docx", "screening-protocol", "Procedure S-03, version 3.0. Staff only.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--into", type=Path, default=CORPUS, help="folder to write to (default: corpus/)")
    make(parser.parse_args().into)
