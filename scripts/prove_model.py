"""Show that the model test would notice: break the logic in one place at a time, and run it.

Each change takes away one decision of the design. The test must pass as it is and fail with each.
Exits with 0 only then.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = ["tests/flow/test_model.py", "tests/flow/test_grants_model.py"]


@dataclass(frozen=True)
class Change:
    name: str
    file: str
    old: str
    new: str


CHANGES = [
    Change(
        "no second look after the lock is taken",
        "flow/renewal.py",
        """            yield from self.look()
            outcome = self._judge(need, self.clock())
            if outcome is not UNDECIDED:
                return outcome
            until =""",
        "            until =",
    ),
    Change(
        "no comparison: whatever record is there counts as the rejected one",
        "flow/__init__.py",
        "Need(began, rejected=token)",
        "Need(began, rejected=self.memory.token)",
    ),
    Change(
        "no bound on fruitless renewals",
        "flow/need.py",
        "if need.rejected is not None and _suspected(need.rejected, memory, now):",
        "if False:",
    ),
    Change(
        "no fence: published whoever owns the lock by now",
        "store/access.py",
        "if self.cache.get(lock) != owner:",
        "if False:",
    ),
    Change(
        "no end to suspicion: a real revocation is taken for the API's answer",
        "flow/need.py",
        "return accepted_at is None or now - accepted_at < WORKED_SECONDS",
        "return True",
    ),
    Change(
        "no single use of a record that expired while it was waited for",
        "flow/need.py",
        "return now < token.usable_until or token.obtained_at >= self.began",
        "return now < token.usable_until",
    ),
    Change(
        "not said before it is sent: who is killed leaves no doubt",
        "store/rows.py",
        'for n in ("asking_since", "owner", "leased_until")',
        'for n in ("owner", "leased_until")',
    ),
    Change(
        "no claim: two ask with one refresh token",
        "store/rows.py",
        "return taken if self.table.update(self.identity, fence, claim) else None",
        "self.table.update(self.identity, {}, claim)\n        return taken",
    ),
    Change(
        "no fence: whoever comes late overwrites the successor",
        "store/rows.py",
        'fence = {"generation": row.generation, **fence}',
        "fence = {}",
    ),
    Change(
        "no limit: who was stopped and given up still sends",
        "flow/exchange.py",
        "reply = yield Ask(request, until, ",
        "reply = yield Ask(request, ",
    ),
    Change(
        "a refused refresh token is sent again",
        "rows.py",
        "if row.refused and (obtains or not ordered):",
        "if False:",
    ),
    Change(
        "a free row looks as it did before another had claimed it",
        "store/rows.py",
        'FREE: dict[str, Any] = {"leased_until": None}',
        'FREE: dict[str, Any] = {"leased_until": None, "owner": 0}',
    ),
    Change(
        "a successor that the database does not take is dropped",
        "flow/refreshing.py",
        "if kept is None and token is not None and row.generation:",
        "if False:",
    ),
    Change(
        "the successor is not kept",
        "flow/refreshing.py",
        "kept = yield from self.keep(claim.row, successor)",
        "kept = True",
    ),
]


def passes(tree: Path) -> tuple[bool, str]:
    command = [sys.executable, "-m", "pytest", *TESTS, "-q", "-x", "-p", "no:cacheprovider"]
    environment = {**os.environ, "NO_SHRINK": "1"}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return done.returncode == 0, failed[0].partition("::")[2] if failed else done.stdout[-300:]


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        for name in ("apiclient_app", "tests", "project", "pyproject.toml", "manage.py"):
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, tree / name)
        ok, said = passes(tree)
        print(f"{'passes' if ok else 'FAILS'}: as it is {'' if ok else said}")
        good = ok
        for change in CHANGES:
            path = tree / "apiclient_app" / change.file
            text = path.read_text()
            if text.count(change.old) != 1:
                print(f"STALE: {change.name}: its place in {change.file} has changed")
                good = False
                continue
            path.write_text(text.replace(change.old, change.new))
            ok, said = passes(tree)
            path.write_text(text)
            print(f"{'PASSES' if ok else 'fails, as it must'}: {change.name} [{said.strip()}]")
            good = good and not ok
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
