"""RESULTS.md: a part for each section, of which a run replaces those that it measured."""

import os
import platform
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from . import nginx
from .bench import Part

HEAD = """\
# Results

Ratios count; microseconds belong to the machine. What each part means, where the time goes and
how to add a contender: [README.md](README.md).
"""
FOOT = """\
## To repeat

```
apt-get install nginx-light   # if there is no nginx; it need not run
make bench                    # prints these tables; make bench WRITE=1 writes them here
make bench BENCH_ARGS="--only one,many --quick"
```
"""
TITLE = re.compile(r"^## (.+)\n", re.MULTILINE)

Load = tuple[float, float]  # before and after


def body(part: Part, load: Load, valkey: str, drawn: bool) -> str:
    """Give a part as it stands under its title."""
    said = "\n\n".join((circumstances(part.packages, load, valkey), part.text.strip()))
    picture = part.picture
    return f"{said}\n\n![{picture.title}]({picture.file}.svg)" if picture and drawn else said


def circumstances(packages: Iterable[str], load: Load, valkey: str) -> str:
    found = [f"{name} {number}" for name in packages if (number := installed(name))]
    return f"""\
{datetime.now(UTC):%Y-%m-%d}. Python {platform.python_version()}, {", ".join(found)}, \
nginx {nginx.version()}, Valkey {valkey}; {platform.system()} {platform.machine()}, \
{os.cpu_count()} CPUs, {len(os.environ)} variables in the environment; load average \
{load[0]:.1f} before, {load[1]:.1f} after."""


def installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def merged(earlier: str, measured: Mapping[str, str], order: Iterable[str]) -> str:
    """Give the whole text: what was measured now under its title, the rest as it was."""
    _, *found = TITLE.split(earlier)
    parts = dict(zip(found[::2], found[1::2], strict=True)) | dict(measured)
    known = [f"## {title}\n\n{parts[title].strip()}\n" for title in order if title in parts]
    return "\n".join((HEAD, *known, FOOT))
