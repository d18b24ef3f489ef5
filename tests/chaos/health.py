"""What a process holds, as its machine sees it (see proc(5))."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Health:
    """A sample. `cpu` is seconds of processor time so far, `memory` bytes resident."""

    cpu: float
    memory: int
    threads: int
    files: int
    sockets: int

    @classmethod
    def of(cls, pid: int) -> Self:
        """Raises FileNotFoundError or ProcessLookupError where it is gone."""
        folder = Path(f"/proc/{pid}")
        stat = (folder / "stat").read_text().rpartition(")")[2].split()
        files = [name for fd in (folder / "fd").iterdir() if (name := _name(fd))]
        return cls(
            cpu=(int(stat[11]) + int(stat[12])) * TICK,
            memory=int(stat[21]) * PAGE,
            threads=int(stat[17]),
            files=len(files),
            sockets=sum(name.startswith("socket:") for name in files),
        )


def _name(fd: Path) -> str:
    try:
        return str(fd.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""
