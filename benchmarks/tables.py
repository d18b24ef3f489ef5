"""Tables in Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from .measured import Field

HEAD = ("", "median", "quartiles", "range", "ratio", "own CPU", "ratio")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rules = [":--", *["--:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, rules, *rows))


def compared(
    field: Field, reference: str, more: str = "", column: Mapping[str, str] | None = None
) -> str:
    """Give µs per call and ratios to the reference; `column` adds one more."""
    base = field.find(reference)
    rows = []
    for measured in field.measured:
        low, high = measured.quartiles
        row = [
            measured.name,
            f"{measured.median:.0f}",
            f"{low:.0f} to {high:.0f}",
            f"{min(measured.wall):.0f} to {max(measured.wall):.0f}",
            f"**{measured.median / base.median:.2f}**" if base else "?",
            f"{measured.cpu_median:.0f}",
            f"{measured.cpu_median / base.cpu_median:.2f}" if base else "?",
        ]
        rows.append([*row, column.get(measured.name, "")] if column else row)
    return table([*HEAD, more] if column else HEAD, rows)


def left_out(skipped: Mapping[str, str]) -> str:
    """Say visibly what is not in a table."""
    return "".join(f"- Left out: {name} ({why})\n" for name, why in skipped.items())
