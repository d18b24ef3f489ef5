"""The inputs that are kept: small ones, a folder for each target, named by what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from .targets import TARGETS

HERE = Path(__file__).parent
CORPUS, CRASHES = HERE / "corpus", HERE / "crashes"
LONGEST, MOST = 10_000, 300
ROOM = 30  # for what breaks a target


def name_of(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]


def inputs() -> Iterator[tuple[str, Path]]:
    """Give each target with each of its inputs, in an order that stays."""
    for target in TARGETS:
        for path in sorted((CORPUS / target).glob("*")):
            yield target, path


def keep(target: str, added: Iterable[Path]) -> int:
    """Take in what a fuzzer added, the shortest first, as far as there is room; give how many."""
    room = MOST - ROOM - len(list(inputs()))
    chosen = sorted((path.read_bytes() for path in added), key=len)[: max(0, room)]
    for data in chosen:
        (CORPUS / target / name_of(data)).write_bytes(data)
    return len(chosen)
