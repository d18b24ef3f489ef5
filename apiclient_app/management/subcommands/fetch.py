"""`fetch`: many calls, from lines of a file or of stdin."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from apiclient_app.call import Call
from apiclient_app.client import Client
from apiclient_app.exceptions import InvalidRequest
from apiclient_app.management.answers import answer
from apiclient_app.management.exits import Exit, Said, unusable
from apiclient_app.management.feeds import batches
from apiclient_app.management.journal import Journal, Printed
from apiclient_app.management.lines import Line, count, lines
from apiclient_app.management.terminal import Terminal
from apiclient_app.management.wording import duration
from apiclient_app.wording import named

from .base import Subcommand, SubcommandParser, add_alias, add_subject, between, chosen

MOST_AT_ONCE = 1_000


class Fetch(Subcommand):
    """Each answer is written as it comes; with --output, what is there is not asked for again."""

    @property
    def summary(self) -> str:
        return _("Make many calls, one for each line; write their answers as lines of JSON.")

    @property
    def epilog(self) -> str:
        return _(
            "A line is a path, METHOD and path, or a JSON object with path, and if need be\n"
            "method, tag, params, json, data, headers, timeout, deadline, allow_redirects\n"
            "and raise_for_status.\n\n"
            "examples:\n"
            "  manage.py apiclient fetch github --from paths.txt --output answers.jsonl\n"
            "  seq -f users/%.0f 99 | manage.py apiclient fetch shop --from - | jq .body"
        )

    def add_arguments(self, parser: SubcommandParser) -> None:
        add_alias(parser)
        parser.add_argument(
            "--from",
            dest="source",
            metavar="FILE",
            required=True,
            help=_("the calls, one a line; - for stdin"),
        )
        parser.add_argument(
            "--output",
            metavar="FILE",
            help=_("where answers are added; lines that it has an answer to are left out"),
        )
        parser.add_argument(
            "--keep-failed",
            action="store_true",
            help=_("with --output: do not repeat calls that failed"),
        )
        parser.add_argument(
            "--concurrency",
            metavar="N",
            type=between(1, MOST_AT_ONCE),
            help=_("calls at a time; by default CONCURRENCY of the settings"),
        )
        add_subject(parser)

    def run(self, terminal: Terminal, options: dict[str, Any]) -> None:
        client = chosen(options)
        with ExitStack() as stack:
            source = stack.enter_context(opened(options["source"]))
            journal = journaled(terminal, source, options)
            stack.callback(journal.close)
            shown = terminal.err.isatty() and bool(options["verbosity"])
            # On the terminal that answers go to as well, a bar would be in their way.
            shown = shown and not (terminal.interactive and options["output"] is None)
            moved = stack.enter_context(bar(source if shown else None))
            errand = Errand(client, journal, moved)
            try:
                errand.run(source, options["concurrency"])
            except KeyboardInterrupt:
                stack.close()
                terminal.say(interrupted(errand, options["output"]))
                raise
        if options["verbosity"]:
            terminal.say(errand.said)
        if errand.failed:
            text = _("%(client)s: %(failed)d calls failed")
            name = named(client.alias, client.subject)
            raise Said(text % {"client": name, "failed": errand.failed}, returncode=Exit.FAILED)


@dataclass
class Errand:
    """The calls of one run, and how many came to what."""

    client: Client
    journal: Journal | Printed
    moved: Callable[[], object]
    answered: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    def run(self, source: IO[bytes], concurrency: int | None) -> None:
        began, numbers = time.monotonic(), itertools.count(1)
        try:
            for batch in batches(source):
                self._map(lines(batch, numbers), concurrency)
        finally:
            self.seconds = time.monotonic() - began

    def _map(self, several: Iterator[Line], concurrency: int | None) -> None:
        given = self.client.map(
            self._calls(several), concurrency=concurrency, ordered=False, return_exceptions=True
        )
        with closing(given):  # type: ignore[type-var]
            for one in given:
                line, tag = one.call.tag
                self._keep(answer(line, one.call, one, tag))

    def _calls(self, several: Iterator[Line]) -> Iterator[Call]:
        for line in several:
            if self.journal.has(line):
                self.skipped += 1
                self.moved()
                continue
            try:
                call = line.call()
            except InvalidRequest as error:
                self._keep(answer(line, None, error))
            else:
                yield call

    def _keep(self, document: dict[str, Any]) -> None:
        self.journal.add(document)
        if document["error"] is None:
            self.answered += 1
        else:
            self.failed += 1
        self.moved()

    @property
    def said(self) -> str:
        text = _("%(answered)d answered, %(failed)d failed, %(skipped)d skipped; %(duration)s")
        return text % {
            "answered": self.answered,
            "failed": self.failed,
            "skipped": self.skipped,
            "duration": duration(self.seconds),
        }


def interrupted(errand: Errand, output: str | None) -> str:
    if output is None:
        then = _("with --output, the same command could be gone on with")
    else:
        then = _("the same command goes on where it stopped")
    return _("apiclient: interrupted: %(said)s; %(then)s") % {"said": errand.said, "then": then}


@contextmanager
def opened(word: str) -> Iterator[IO[bytes]]:
    """Open the file of --from, or give stdin."""
    if word == "-":
        if sys.stdin is None:
            raise unusable(_("there is no stdin to read from"))
        yield sys.stdin.buffer
        return
    try:
        file = Path(word).open("rb")  # noqa: SIM115
    except OSError as error:
        text = _("%(file)s cannot be read: %(reason)s")
        raise unusable(text % {"file": word, "reason": error.strerror}) from error
    with file:
        yield file


def journaled(terminal: Terminal, source: IO[bytes], options: dict[str, Any]) -> Journal | Printed:
    if options["output"] is None:
        if options["keep_failed"]:
            raise unusable(_("--keep-failed needs --output"))
        return Printed(terminal)
    path = Path(options["output"]).resolve()
    if path.exists() and options["source"] != "-" and path.samefile(options["source"]):
        raise unusable(_("--output is the file that --from reads"))
    return Journal(path, keep_failed=options["keep_failed"])


@contextmanager
def bar(source: IO[bytes] | None) -> Iterator[Callable[[], object]]:
    """Draw a progress bar on stderr, if there is a source; give what moves it on by one."""
    if source is None or find_spec("tqdm") is None:
        yield _still
        return
    from tqdm import tqdm

    with tqdm(total=count(source), unit="call", file=sys.stderr) as drawn:
        yield drawn.update


def _still() -> None:
    """Nothing is drawn."""
