"""Two plots as SVG: whether probabilities can be believed, and what answering more questions costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qa.errors import EvaluationError
from qa.evaluate.answerability import Panel, calibration_error, reliability_bins, risk_coverage

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RELIABILITY: Final = "reliability.svg"
RISK_COVERAGE: Final = "risk-coverage.svg"
_SIZE: Final = 5.0  # of a panel, inches
_BLUE: Final = "#1f5f8b"
_RED: Final = "#b03a2e"
_GREY: Final = "#666666"


def require_matplotlib() -> None:
    """Raise EvaluationError where matplotlib is not installed: before anything that takes time."""
    try:
        import_module("matplotlib.figure")
    except ImportError as error:
        raise EvaluationError(
            "drawing needs the package matplotlib", remedy='Install it with: pip install "clinic-qa[evaluate]"'
        ) from error


def write_plots(folder: Path, panels: Sequence[Panel]) -> tuple[Path, ...]:
    """Draw the panels that have questions, side by side, into two files; the same panels give the same bytes.

    Raises EvaluationError where no panel has any, and where matplotlib is not installed.
    """
    require_matplotlib()
    drawn = [panel for panel in panels if panel.judged]
    if not drawn:
        raise EvaluationError(
            "there is nothing to draw",
            path=folder,
            found="no question with a probability",
            expected="the clinic's own questions, or a data set with answers' places in at least two documents",
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / RELIABILITY, folder / RISK_COVERAGE)
    for path, draw in zip(paths, (_reliability, _risk_coverage), strict=True):
        with _axes(path, len(drawn)) as axes:
            for panel, ax in zip(drawn, axes, strict=True):
                draw(panel, ax)
    return paths


@contextmanager
def _axes(path: Path, count: int) -> Iterator[list[Axes]]:
    """Empty axes side by side, written to `path` in the end."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # Text stays text, and the names of parts inside the file come from a fixed salt.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "clinic-qa"}):
        figure = Figure(figsize=(_SIZE * count, _SIZE), layout="constrained")
        FigureCanvasSVG(figure)
        yield [figure.add_subplot(1, count, place) for place in range(1, count + 1)]
        figure.savefig(path, format="svg", metadata={"Date": None})


def _reliability(panel: Panel, ax: Axes) -> None:
    bins = reliability_bins(panel.judged)
    ax.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1)
    ax.bar(
        [each.low for each in bins],
        [each.measured for each in bins],
        width=[each.high - each.low for each in bins],
        align="edge",
        color=_BLUE,
        alpha=0.25,
        edgecolor=_BLUE,
    )
    ax.plot([each.predicted for each in bins], [each.measured for each in bins], color=_BLUE, marker="o")
    for each in bins:
        ax.annotate(
            str(each.count),
            ((each.low + each.high) / 2, each.measured),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1.08),
        xlabel="predicted probability",
        ylabel="share right among the first three (with counts)",
        title=f"{panel.name}\n{len(panel.judged)} asked, expected calibration error {calibration_error(bins):.3f}",
    )
    ax.title.set_fontsize(9)


def _risk_coverage(panel: Panel, ax: Axes) -> None:
    points = risk_coverage(panel.judged)
    ax.plot([point.answered for point in points], [point.wrong for point in points], color=_BLUE)
    ax.axhline(panel.bound, color=_RED, linestyle="--", linewidth=1, label=f"bound {panel.bound:.0%}")
    threshold = panel.threshold
    chosen = [point for point in points if threshold is not None and point.threshold >= threshold]
    if chosen:
        at = chosen[-1]
        label = f"threshold {threshold:.2f}: {at.answered:.0%} answered, {at.wrong:.0%} of them wrong"
        ax.plot([at.answered], [at.wrong], color=_RED, marker="o", linestyle="none", label=label)
    elif threshold is not None:
        label = f"threshold {threshold:.2f}: nothing answered"
        ax.plot([0], [0], color=_RED, marker="o", linestyle="none", label=label)
    ax.set(
        xlim=(0, 1.02),
        ylim=(-0.02, 1),
        xlabel="share of questions answered",
        ylabel="share of answers that are wrong",
        title=f"{panel.name}\n{len(panel.judged)} asked",
    )
    ax.title.set_fontsize(9)
    ax.legend(loc="upper left", fontsize=8)
