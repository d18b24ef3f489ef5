"""Where the command writes to: text for people, JSON for programs."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import Any

from django.core.management.base import OutputWrapper
from django.core.management.color import Style, no_style

NOTE = "  ! "
NARROWEST = 20


class Terminal:
    """stdout and stderr. On a terminal, lines fit its width and may have colours."""

    def __init__(
        self, out: OutputWrapper, err: OutputWrapper, style: Style, force_color: bool = False
    ) -> None:
        self.out, self.err = out, err
        self.interactive = out.isatty()
        self.style = style if self.interactive or force_color else no_style()
        self.width = shutil.get_terminal_size().columns if self.interactive else None

    def line(self, text: str = "", style: str = "") -> None:
        self.out.write(self.styled(text, style))

    def say(self, text: str) -> None:
        """Write a line for people to stderr, which leaves stdout to the result."""
        self.err.write(text, lambda line: line)

    def json(self, document: Any) -> None:
        self.line(json.dumps(document, indent=2))

    def styled(self, text: str, style: str) -> str:
        """Give `text` in one of Django's styles, "SUCCESS" and so on."""
        return str(getattr(self.style, style)(text)) if style and text else text

    def note(self, text: str) -> None:
        """Write what somebody should see to, below the line that it is about."""
        lines = [text]
        if self.width:
            room = max(self.width - len(NOTE), NARROWEST)
            lines = textwrap.wrap(text, room, break_on_hyphens=False, break_long_words=False)
        for number, line in enumerate(lines):
            self.line((" " * len(NOTE) if number else NOTE) + self.styled(line, "ERROR"))
