"""Columns that fit: the terminal's width where there is one, whatever they hold elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from .terminal import Terminal

GAP = "  "
NARROWEST = 12  # a column that would get less is left out
KEPT = 2  # but never these: who, and how it is

Line = Sequence[str]


class Table:
    """Writes its head at once, then line by line. `samples` are lines as wide as any will be."""

    def __init__(self, terminal: Terminal, head: Line, samples: Sequence[Line]) -> None:
        self.terminal = terminal
        self.widths = fitted([head, *samples], terminal.width)
        self.line(head, dict.fromkeys(range(len(head)), "MIGRATE_HEADING"))

    def line(self, cells: Line, styles: dict[int, str] | None = None) -> None:
        """Write a line; `styles` names one of Django's styles for a column."""
        shown = []
        for column, width in enumerate(self.widths):
            text = cells[column]
            if self.terminal.width and len(text) > width:
                text = text[: width - 1] + "…"
            padding = " " * (width - len(text)) if column < len(self.widths) - 1 else ""
            shown.append(self.terminal.styled(text, (styles or {}).get(column, "")) + padding)
        self.terminal.line(GAP.join(shown).rstrip())


def fitted(lines: Sequence[Line], room: int | None) -> list[int]:
    """Give the width of each column that is shown; where it is narrow, the last give way."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if room is None:
        return widths
    while len(widths) > KEPT:
        rest = room - sum(width + len(GAP) for width in widths[:-1])
        if rest >= min(widths[-1], NARROWEST):
            return [*widths[:-1], min(widths[-1], rest)]
        widths.pop()
    rest = room - sum(width + len(GAP) for width in widths[1:])
    return [max(min(widths[0], rest), NARROWEST), *widths[1:]]
