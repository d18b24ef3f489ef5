"""Bodies on their way: from the command line to the API, and from the API to stdout."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import requests
from django.core.management.base import CommandError, OutputWrapper
from django.utils.translation import gettext as _

from .exits import Exit, unusable
from .terminal import Terminal

PIECE = 65_536
INDENT_LIMIT = 1_048_576


def content(word: str, stack: ExitStack) -> bytes | IO[bytes]:
    """Give the body that an argument names: itself, @FILE, or - for stdin.

    A file is read while it is sent, and can be sent twice: the API may refuse the first token.
    """
    if word == "-":
        return seekable(sys.stdin.buffer, stack)
    if not word.startswith("@"):
        return os.fsencode(word)
    try:
        return seekable(stack.enter_context(Path(word[1:]).open("rb")), stack)
    except OSError as error:
        text = _("%(file)s cannot be read: %(reason)s")
        raise unusable(text % {"file": word[1:], "reason": error.strerror}) from error


def seekable(stream: IO[bytes], stack: ExitStack) -> IO[bytes]:
    if stream.seekable():
        return stream
    spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    shutil.copyfileobj(stream, spool)
    spool.seek(0)
    return spool


def checked_json(body: bytes | IO[bytes]) -> bytes:
    """Give a body that is known to be JSON, as it was typed."""
    typed = body if isinstance(body, bytes) else body.read()
    try:
        json.loads(typed)
    except (ValueError, RecursionError) as error:
        raise unusable(_("--json: %(error)s") % {"error": error}) from error
    return typed


def pour(response: requests.Response, terminal: Terminal) -> None:
    """Write the body of a streamed response to stdout, in bounded memory.

    As it is; but on a terminal JSON is indented, and what is no text is left out.
    """
    write = sink(terminal.out, response.encoding)
    pieces: Iterator[bytes] = response.iter_content(PIECE)
    if terminal.interactive:
        beginning = start(pieces, INDENT_LIMIT if is_json(response) else 1)
        if b"\0" in beginning:
            text = _("the body is not text: send it to a file or another program")
            raise CommandError(text, returncode=Exit.FAILED)
        write(indented(beginning) if is_json(response) else beginning)
    for piece in pieces:
        write(piece)


def start(pieces: Iterator[bytes], length: int) -> bytes:
    """Take pieces until they make `length`, or there are no more."""
    taken = bytearray()
    for piece in pieces:
        taken += piece
        if len(taken) >= length:
            break
    return bytes(taken)


def is_json(response: requests.Response) -> bool:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def indented(body: bytes) -> bytes:
    """Give JSON on lines of its own; as it is, if that is not all of it."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode() + b"\n"
    except (ValueError, RecursionError):
        return body


def sink(out: OutputWrapper, encoding: str | None) -> Callable[[bytes], Any]:
    """Give what takes bytes to stdout; to a text stream (`call_command(stdout=…)`) decoded."""
    buffer = getattr(out, "buffer", None)
    if buffer is None:
        decode = codecs.getincrementaldecoder(encoding or "utf-8")("replace").decode
        return lambda piece: out.write(decode(piece), ending="")
    out.flush()

    def write(piece: bytes) -> None:
        buffer.write(piece)
        buffer.flush()

    return write
