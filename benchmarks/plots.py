"""A plot of ratios, as SVG: one bar for each contender, its quartiles, the reference at 1."""

from pathlib import Path
from typing import Any

from .bench import Picture
from .measured import Measured
from .missing import Missing, peer

FOLDER = Path(__file__).parent
OURS, PEER, INK = "#0b6e4f", "#b8c4cc", "#24313a"
THIN: dict[str, Any] = {"fmt": "none", "ecolor": INK, "elinewidth": 1, "capsize": 2}
BLANK = {"facecolor": "white", "edgecolor": "none", "pad": 1}
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def drawn(picture: Picture) -> bool:
    """Write the picture, if that can be done here and its reference was measured."""
    try:
        matplotlib, figures = peer("matplotlib"), peer("matplotlib.figure")
    except Missing:
        return False
    if picture.field.find(picture.reference) is None:
        return False
    with matplotlib.rc_context(STYLE):
        height = 1.1 + 0.36 * len(picture.field.measured)
        figure = figures.Figure(figsize=(8.6, height), layout="constrained", facecolor="white")
        bars(figure.add_subplot(), picture)
        path = FOLDER / f"{picture.file}.svg"
        figure.savefig(path, format="svg", metadata={"Date": None})
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))
    return True


def bars(axes: Any, picture: Picture) -> None:
    base = next(m for m in picture.field.measured if m.name == picture.reference).median
    measured = sorted(picture.field.measured, key=lambda each: each.median, reverse=True)
    for row, each in enumerate(measured):
        bar(axes, row, each, base, picture.longest)
    axes.set_yticks(range(len(measured)), [each.name for each in measured])
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    adorn(axes, picture)


def bar(axes: Any, row: int, measured: Measured, base: float, longest: float) -> None:
    ratio, (low, high) = measured.median / base, measured.quartiles
    cut = ratio > longest
    colour = OURS if measured.name.startswith("client.") else PEER
    axes.barh(row, min(ratio, longest), color=colour, height=0.66)
    if not cut:
        axes.errorbar(ratio, row, xerr=[[ratio - low / base], [high / base - ratio]], **THIN)
    place = (longest if cut else max(ratio, high / base), row)
    text = f"… {ratio:.1f}" if cut else f"{ratio:.2f}"
    axes.annotate(text, place, (6, 0), textcoords="offset points", va="center", bbox=BLANK)


def adorn(axes: Any, picture: Picture) -> None:
    axes.set_title(picture.title, loc="left", fontweight="bold")
    legend = f"time per call, “{picture.reference}” taken as 1; less is better; lines: quartiles"
    axes.set_xlabel(legend, loc="right", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.margins(x=0.09, y=0.02)
    axes.set_xlim(left=0)
