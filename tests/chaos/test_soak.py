"""Hours of mixed load: nothing that a process holds grows."""

import os
import time
from itertools import cycle
from pathlib import Path

import pytest

from .growth import MEASURES, Sample, drawn, growing, thirds
from .lengths import Scale
from .load import TARGETS
from .report import circumstances, put
from .storm import Storm

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "soak.svg"
MINUTES = float(os.environ.get("MINUTES", "30"))
LIFE, EVERY, ROTATIONS = 30, 5.0, 3  # seconds of a token, between samples; samples from one to one


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("scale", [pytest.param(Scale(3, 60 * MINUTES), id="soak")])
def test_nothing_grows(storm: Storm) -> None:
    storm.api.set(expires_in=LIFE, dated=True)
    storm.begin(
        f"soak: {MINUTES:.0f} minutes, tokens of {LIFE} s, a rotation by hand every 15 s",
        "0 failed; memory, file descriptors, threads and sockets flat",
    )
    samples, orders = [], cycle(zip(cycle(storm.crew.workers), TARGETS, strict=False))
    while (passed := time.time() - storm.began) < storm.seconds:
        samples.append(Sample(passed, storm.health()))
        if len(samples) % ROTATIONS == 0:
            worker, (alias, subject) = next(orders)
            storm.crew.ask([worker], do="rotate", alias=alias, subject=subject)
        time.sleep(EVERY)
    outcome = storm.end()

    if os.environ.get("WRITE"):
        drawn(
            samples, f"{MINUTES:.0f} minutes of mixed load, {len(outcome.calls):,} calls", PICTURE
        )
        put("soak", f"{circumstances()} {outcome}\n\n{medians(samples)}\n")
    assert outcome.complaints == []
    assert outcome.failed == []
    assert growing(samples) == []


def medians(samples: list[Sample]) -> str:
    """Give the last third beside the middle one, of all processes."""
    rows = []
    for measure in MEASURES:
        pairs = [thirds(samples, measure, process) for process in samples[0].health]
        middle, last = (" · ".join(f"{pair[n]:.0f}" for pair in pairs) for n in (0, 1))
        rows.append(f"| {measure.name} | {middle} | {last} |")
    head = "| in each process, median | middle third | last third |\n| :-- | --: | --: |"
    return "\n".join([head, *rows])
