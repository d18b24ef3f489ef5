"""`make fuzz`: try each target for a while, keep what reached something new.

What breaks a target is left in `crashes`; once mended, it belongs to the target's corpus.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .corpus import CORPUS, CRASHES, LONGEST, keep
from .targets import SECONDS, TARGETS
from .words import WORDS

FOUND = Path("var/fuzz")  # all that was ever found, for the next run to begin with
REACHED = re.compile(r"cov: (\d+)")
RUNS = re.compile(r"number_of_executed_units: (\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    options = parser.parse_args()
    if unknown := set(options.targets) - TARGETS.keys():
        parser.error(f"no target: {', '.join(sorted(unknown))}")
    if find_spec("atheris") is None:
        parser.error("install atheris: it has wheels for Linux on x86-64")
    CRASHES.mkdir(exist_ok=True)
    return max(fuzzed(target, options.seconds) for target in options.targets or TARGETS)


def fuzzed(target: str, seconds: int) -> int:
    """Fuzz one target; 1 if it broke."""
    kept, found = CORPUS / target, FOUND / target
    for folder in (kept, found):
        folder.mkdir(parents=True, exist_ok=True)
    crashes = set(CRASHES.iterdir())
    words = FOUND / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    limits = [f"-max_len={LONGEST}", f"-timeout={SECONDS * 2:.0f}", "-rss_limit_mb=1500"]
    log = fuzzer(
        target, found, kept, *limits, f"-max_total_time={seconds}", f"-dict={words}",
        f"-artifact_prefix={CRASHES}/{target}-", "-print_final_stats=1", "-detect_leaks=0",
    )  # fmt: skip
    with TemporaryDirectory() as scratch:
        merged = Path(shutil.copytree(kept, Path(scratch, target)))
        known = set(merged.iterdir())
        # By edges alone: for how often each was passed, the corpus would grow for ever.
        how = ["-set_cover_merge=1", "-use_counters=0"]
        merging = fuzzer(target, *how, *limits, merged, found)
        new = keep(target, set(merged.iterdir()) - known)
    (FOUND / f"{target}.log").write_text(log + merging)
    broken = sorted(path.name for path in set(CRASHES.iterdir()) - crashes)
    said = f"{target:12} {_last(RUNS, log):>9} runs {_last(REACHED, log):>6} edges"
    said += f" {new:>3} inputs more kept"
    print("\n  BROKEN BY ".join([said, *broken]), flush=True)  # noqa: T201
    return 1 if broken or not RUNS.search(log) else 0


def fuzzer(*arguments: object) -> str:
    """Run libFuzzer to its end; give what it said."""
    command = [sys.executable, "-m", "tests.fuzz.fuzzer", *map(str, arguments)]
    both: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return str(subprocess.run(command, text=True, errors="replace", **both).stdout)


def _last(pattern: re.Pattern[str], log: str) -> str:
    return str((pattern.findall(log) or ["?"])[-1])


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


if __name__ == "__main__":
    sys.exit(main())
