"""What errors, logs and signals tell to those who report and collect them."""

import logging
import pickle
import pprint
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from celery import Celery
from celery.utils.serialization import get_pickleable_exception
from django.test import RequestFactory
from django.views.debug import ExceptionReporter

from apiclient_app import Client

Told = tuple[str, str | bytes]
Call = Callable[[Any], object]

CELERY = Celery(set_as_current=False)


def caught(call: Call, client: Client | None) -> BaseException | None:
    try:
        call(client)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it must not sing
        return error
    return None


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give it and all that it came from, suppressed or not."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        if error.__context__ is not error.__cause__:
            yield from chain(error.__context__)


def ways_of(error: BaseException) -> tuple[object, ...]:
    """Name the lines in which it was raised, and all that it came from."""
    return type(error), *(
        (frame.f_code, line)
        for link in chain(error)
        for frame, line in traceback.walk_tb(link.__traceback__)
    )


def told_by(error: BaseException) -> Iterator[Told]:
    for link in chain(error):
        kind = type(link).__name__
        yield f"str({kind})", f"{link!s} {link!r} {link} {link.args!r}"
        yield f"vars({kind})", pprint.pformat(vars(link))
        yield f"locals around {kind}", "".join(local_variables(link))
    yield "pickle", pickle.dumps(get_pickleable_exception(error))
    yield (
        "Celery's JSON",
        repr(CELERY.backend.prepare_exception(error, "json")),
    )


def reported(error: BaseException) -> Iterator[Told]:
    reporter = ExceptionReporter(
        RequestFactory().get("/"), type(error), error, error.__traceback__
    )
    yield "Django's debug page", reporter.get_traceback_html()
    yield "Django's error mail", reporter.get_traceback_text()


def local_variables(error: BaseException) -> Iterator[str]:
    """Give those of every frame in full, as error trackers do."""
    for frame, _line in traceback.walk_tb(error.__traceback__):
        for name, value in frame.f_locals.items():
            try:
                shown = pprint.pformat(value)
            except Exception as odd:  # noqa: BLE001  # a half-built object of somebody else
                shown = repr(odd)
            yield f"{frame.f_code.co_qualname} {name} = {shown}\n"


class Everything(logging.Handler):
    """Keeps what every logger says, and all that a record carries."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.told: list[Told] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = f"{logging.Formatter().format(record)} {vars(record)!r}"
        self.told.append((f"log of {record.name}", said))
