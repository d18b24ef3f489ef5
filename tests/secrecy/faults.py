"""What goes wrong around a client: its database fails, and a worker's time is up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from signal import ITIMER_REAL, SIGALRM, setitimer, signal
from types import FrameType
from typing import Any, NoReturn

from django.core.cache.backends.locmem import LocMemCache
from django.db import OperationalError, connection

TABLE = "apiclient_app_credential"

Fault = Callable[[str], Exception]


class TimeLimit(Exception):
    """As Celery raises it, in whatever is being done."""


class Stopped(BaseException):
    """As gevent raises it: no `except Exception` holds it up."""


def down(said: str) -> Exception:
    """Give what a database says that repeats what it was told."""
    return OperationalError(said)


def interrupted(_said: str) -> Exception:
    return TimeLimit()


@contextmanager
def failing_from(statement: int, fault: Fault) -> Iterator[list[str]]:
    """Have statements on refresh tokens fail from that one on; give those that did.

    A time limit comes once: what is done after it succeeds.
    """
    numbers, failed = count(), list[str]()

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        spent = fault is interrupted and failed
        if TABLE not in sql or spent or next(numbers) < statement:
            return run(sql, params, many, context)
        failed.append(sql)
        raise fault(f"{sql} {params}")

    with connection.execute_wrapper(execute):
        yield failed


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise TimeLimit

    before = signal(SIGALRM, interrupt)
    setitimer(ITIMER_REAL, seconds)
    try:
        yield
    finally:
        setitimer(ITIMER_REAL, 0)
        signal(SIGALRM, before)


class StoppingCache(LocMemCache):
    """A cache in which whoever works is stopped, once, when `left` operations are done."""

    left = -1

    @classmethod
    def count_down(cls) -> None:
        cls.left -= 1
        if cls.left == -1:
            raise Stopped

    def add(self, *args: Any, **kwargs: Any) -> Any:
        self.count_down()
        return super().add(*args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        self.count_down()
        return super().set(*args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        self.count_down()
        return super().get_many(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        self.count_down()
        return super().delete(*args, **kwargs)


class Apart:
    """A router that keeps refresh tokens in a database of their own."""

    def db_for_write(self, model: Any, **_: Any) -> str | None:
        return "apart" if model._meta.db_table == TABLE else None

    db_for_read = db_for_write
