"""The targets, by name: each takes bytes, and raises where the code under it does wrong."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time

from . import answers, files, headers, records, tokens

SECONDS = 5.0  # of processor time that no input of some kilobytes may take

TARGETS: dict[str, Callable[[bytes], None]] = {
    "token_reply": tokens.token_reply,
    "expired": headers.expired,
    "challenge": headers.challenge,
    "retry_after": headers.retry_after_header,
    "rate_limit": headers.rate_limit,
    "location": headers.location,
    "record": records.record,
    "sealed": records.sealed,
    "cache": records.cache,
    "answer": answers.answer,
    "refusal": answers.refusal,
    "download": files.download,
    "sidecar": files.sidecar,
    "journal": files.journal,
}


def feed(name: str, data: bytes) -> None:
    """Give an input to a target; AssertionError also where it takes too long over it."""
    began = thread_time()
    TARGETS[name](data)
    assert thread_time() - began < SECONDS
