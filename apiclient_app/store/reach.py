"""The cache as one process reaches it: not at all for a while, once it has not answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache

from apiclient_app.exceptions import StoreUnavailable

from .access import Access, access_to
from .outage import Outage

T = TypeVar("T")

INTERRUPTING = frozenset({"billiard", "celery"})  # a task's time limit is an Exception, too


@dataclass(frozen=True, slots=True)
class Reach:
    """`cache` gives the cache as the calling thread may use it."""

    cache: Callable[[], BaseCache]
    outage: Outage

    def attempt(self, work: Callable[[Access], T], *, storing: bool = True) -> T:
        """Do something with the cache; raises StoreUnavailable.

        `storing`: whether it stores something, as a cache that is full cannot.
        """
        cache = self.cache()
        if self.outage.lasts or isinstance(cache, DummyCache):
            raise StoreUnavailable
        try:
            result = work(access_to(cache))
        except StoreUnavailable:
            raise
        except Exception as error:  # each backend has exceptions of its own
            if type(error).__module__.partition(".")[0] in INTERRUPTING:
                raise
            self.outage.begin(error)
            raise StoreUnavailable from None
        self.outage.end(storing)
        return result
