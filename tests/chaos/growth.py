"""What processes hold, over time: whether it grows, and a picture of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.plots import INK, STYLE

from .health import Health

COLOURS = ("#0b6e4f", "#c9772b", "#5b6c9d")
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Measure:
    """Something that must not grow: by more than a share, and some, over a third of the time."""

    name: str
    of: Callable[[Health], float]
    share: float
    some: float


MEASURES = (
    Measure("memory, MiB", lambda health: health.memory / MEBIBYTE, 0.01, 0.5),
    Measure("file descriptors", lambda health: health.files, 0.0, 2),
    Measure("threads", lambda health: health.threads, 0.0, 1),
    Measure("sockets", lambda health: health.sockets, 0.0, 2),
)


@dataclass(frozen=True)
class Sample:
    """What each process held, so many seconds after the beginning."""

    at: float
    health: Mapping[int, Health]


def thirds(samples: Sequence[Sample], measure: Measure, process: int) -> tuple[float, float]:
    """Give the medians of the middle and of the last third of the time."""
    values = [measure.of(sample.health[process]) for sample in samples]
    third = len(values) // 3
    return median(values[third : 2 * third]), median(values[2 * third :])


def growing(samples: Sequence[Sample]) -> list[str]:
    """Say what is not flat."""
    complaints = []
    for process in samples[0].health:
        for measure in MEASURES:
            middle, last = thirds(samples, measure, process)
            if last > middle * (1 + measure.share) + measure.some:
                complaints.append(f"{process}: {measure.name} from {middle:.1f} to {last:.1f}")
    return complaints


def drawn(samples: Sequence[Sample], title: str, path: Path) -> None:
    """Write a picture: a field for each measure, a line for each process."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: Any = {**STYLE, "svg.hashsalt": "soak"}
    with mpl.rc_context(style):
        figure = Figure(figsize=(8.6, 5.2), layout="constrained", facecolor="white")
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        for axes, measure in zip(figure.subplots(2, 2).flat, MEASURES, strict=True):
            plot(axes, samples, measure)
        figure.savefig(path, format="svg", metadata={"Date": None})
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))


def plot(axes: Any, samples: Sequence[Sample], measure: Measure) -> None:
    minutes = [sample.at / 60 for sample in samples]
    for process, colour in zip(samples[0].health, COLOURS, strict=False):
        values = [measure.of(sample.health[process]) for sample in samples]
        axes.plot(minutes, values, color=colour, linewidth=1.1)
    axes.set_title(measure.name, loc="left", fontsize=10, color=INK)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("minutes", loc="right", fontsize=9)
