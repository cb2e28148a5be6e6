from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from qa.errors import EvaluationError
from qa.evaluate.answerability import Judged, Panel
from qa.evaluate.plots import require_matplotlib, write_plots

JUDGED = (Judged(0.5, False), Judged(0.25, False), Judged(0.5, True), Judged(0.75, True), Judged(1.0, True))
PANELS = (Panel("patient", JUDGED, 0.5, 0.05), Panel("staff", JUDGED[:2], None, 0.05), Panel("nobody", (), 0.5, 0.05))


def texts(path: Path) -> str:
    """All text that a picture shows."""
    return "\n".join(ElementTree.parse(path).getroot().itertext())  # noqa: S314 - our own file


def test_both_plots_are_written(tmp_path: Path) -> None:
    """Two SVG files with a panel for each set that has questions, which show the error, the threshold and the bound."""
    reliability, risk = write_plots(tmp_path / "new" / "plots", PANELS)
    assert [reliability.name, risk.name] == ["reliability.svg", "risk-coverage.svg"]
    # Bins of one tenth: |0.25 - 0| + 2 · |0.5 - 0.5| + |0.75 - 1| + |1 - 1| over five questions.
    assert "5 asked, expected calibration error 0.100" in texts(reliability)
    assert "staff\n" in texts(reliability)
    assert "nobody" not in texts(reliability)
    assert "threshold 0.50: 80% answered, 25% of them wrong" in texts(risk)
    assert "bound 5%" in texts(risk)


def test_a_threshold_above_everything(tmp_path: Path) -> None:
    """Where no probability reaches the threshold, the plot says that nothing is answered."""
    _, risk = write_plots(tmp_path, [Panel("patient", JUDGED[:3], 0.9, 0.05)])
    assert "threshold 0.90: nothing answered" in texts(risk)


def test_the_same_panels_give_the_same_bytes(tmp_path: Path) -> None:
    """No date and no random name is in a file, so that plots can be compared."""
    first, second = (write_plots(tmp_path / name, PANELS) for name in ("one", "two"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_nothing_to_draw_is_an_error(tmp_path: Path) -> None:
    """Without a question nothing is written."""
    with pytest.raises(EvaluationError, match="nothing to draw"):
        write_plots(tmp_path / "plots", PANELS[2:])
    assert not (tmp_path / "plots").exists()


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra's exact command is in the error."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(EvaluationError, match=r'pip install "clinic-qa\[evaluate\]"'):
        require_matplotlib()
