"""What rests in places that others can read: caches, and the table of refresh tokens."""

import pickle
import sqlite3
import zlib
from collections.abc import Iterator

import redis
from django.core.cache import caches
from django.db import connection

from tests import settings as test_settings

from .witnesses import Told


def raw(cache: str) -> Iterator[Told]:
    """Give keys and values of a cache as they rest in it."""
    if cache == "locmem":
        yield "locmem", repr(caches[cache]._cache)  # type: ignore[attr-defined]
    elif cache == "file":
        for path in test_settings.CACHES["file"]["LOCATION"].glob("*"):
            with path.open("rb") as file:
                pickle.load(file)  # when it expires
                yield "file", zlib.decompress(file.read())
    else:
        with redis.Redis.from_url(test_settings.REDIS_URL) as server:
            for key in server.scan_iter(f"*{test_settings.RUN}*"):
                yield "Redis key", key
                yield "Redis value", server.dump(key)
                yield "Redis value", server.get(key)


def rows(database: sqlite3.Connection | None = None) -> Iterator[Told]:
    """Give the rows of refresh tokens as a database holds them: by default, the one in memory."""
    opened: sqlite3.Connection = database or connection.connection
    for row in opened.execute("SELECT * FROM apiclient_app_credential"):
        yield "row", repr(row)
