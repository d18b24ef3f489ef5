"""How the command ends: its exit codes, and errors as one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from io import TextIOWrapper
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from apiclient_app.exceptions import (
    APIClientError,
    InvalidConfiguration,
    InvalidRequest,
    UnknownClient,
)


class Exit(IntEnum):
    """Where several apply, the lowest but WELL."""

    WELL = 0
    FAILED = 1
    UNUSABLE = 2
    ATTENTION = 3
    INTERRUPTED = 130
    PIPE_CLOSED = 141


def explained() -> str:
    """Give the exit codes as a table for --help."""
    return _(
        "exit codes:\n"
        "  0    all is well\n"
        "  1    a call, a check or a token operation failed; the API answered 4xx or 5xx\n"
        "  2    nothing was sent: wrong usage, unknown alias, unusable settings or request\n"
        "  3    nothing failed now, but there is something to see to: a failure on record,\n"
        "       a grant that needs attention, a cache or database that does not answer\n"
        "  130  interrupted with Ctrl-C"
    )


class Said(CommandError):
    """Ends the command; what there is to say has been said."""


def code_for(error: APIClientError) -> Exit:
    unsent = isinstance(error, UnknownClient | InvalidConfiguration | InvalidRequest)
    return Exit.UNUSABLE if unsent else Exit.FAILED


def unusable(text: str) -> CommandError:
    """Make the error for arguments that cannot be used."""
    return CommandError(text, returncode=Exit.UNUSABLE)


@contextmanager
def ending_as_a_process(stderr: Any, traceback: bool) -> Iterator[None]:
    """Turn an error into one line and an exit code, a closed pipe and Ctrl-C into a code alone."""
    if isinstance(sys.stdout, TextIOWrapper):  # where it speaks another encoding than UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield
    except CommandError as error:
        if traceback:
            raise
        if not isinstance(error, Said):
            stderr.write("apiclient: " + " ".join(str(error).split()))
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except OSError as error:  # writing to stdout; those of sockets are TransportErrors by now
        if traceback:
            raise
        # What is left in its buffer would be tried again, and complained about, at shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(Exit.PIPE_CLOSED)
        stderr.write(f"apiclient: {error.strerror or error}")
        sys.exit(Exit.FAILED)
