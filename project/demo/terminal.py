"""How the story looks: short lines, readable without colour too."""

import os
import sys

BOLD, DIM, RED, GREEN = "1", "2", "31", "32"
INDENT = "   "


def title(text: str) -> None:
    print(colour(BOLD, text), flush=True)


def chapter(number: int, text: str) -> None:
    print(f"\n{colour(BOLD, f'{number}  {text}')}", flush=True)


def line(text: str) -> None:
    print(f"{INDENT}{text}", flush=True)


def aside(text: str) -> None:
    line(colour(DIM, text))


def verdict(*, kept: bool, text: str) -> None:
    mark = colour(GREEN, "ok") if kept else colour(RED, "FAILED")
    line(f"{colour(BOLD, text)}  {mark}")


def quotation(text: str) -> None:
    for quoted in text.rstrip().splitlines():
        line(f"| {quoted}".rstrip())


def error(text: str) -> None:
    print(f"\n{colour(RED, 'Error:')} {text}", file=sys.stderr, flush=True)


def colour(code: str, text: str) -> str:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return f"\033[{code}m{text}\033[0m"
