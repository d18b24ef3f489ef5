"""How each kind of cache is reached: candidly when it is down, and fenced by the lock's owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from django.core.cache.backends.base import BaseCache

from apiclient_app.exceptions import StoreUnavailable
from apiclient_app.secret import one_line, redact

FENCED_WRITE = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
local n = tonumber(ARGV[2])
for i = 1, n do
  redis.call('set', KEYS[1 + i], ARGV[1 + 2 * i], 'px', ARGV[2 + 2 * i])
end
for i = 2 + n, #KEYS do redis.call('del', KEYS[i]) end
return 1
"""

Writes = Mapping[str, tuple[str, float]]


class Refused(StoreUnavailable):
    """Redis answered, and that was its answer: the text says what, without a secret."""


class Access:
    """Any cache, through Django's API alone."""

    scripted = False  # whether `run` can be asked to do anything

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script, and give what it returns. Only where it is `scripted`.

        Raises Refused where Redis does: a key of ours holds what is another's, there is no
        memory left, scripts are not allowed. The cache itself is well, and answers.
        """
        raise NotImplementedError

    def get_many(self, keys: Sequence[str]) -> dict[str, Any]:
        return dict(self.cache.get_many(keys))

    def add(self, key: str, value: int, life: float) -> bool:
        # Whole seconds, rounded up: Django's RedisCache makes 0 of 0.9, and 0 deletes.
        return bool(self.cache.add(key, value, timeout=ceil(life)))

    def set(self, key: str, value: str, life: float) -> None:
        self.cache.set(key, value, timeout=ceil(life))

    def delete(self, key: str) -> None:
        self.cache.delete(key)

    def write(self, lock: str, owner: int, writes: Writes, deletes: Sequence[str]) -> bool:
        """Set and delete keys if `lock` is still `owner`'s; False if it is not.

        `writes` maps a key to its value and its life in seconds. Here: re-read, then write.
        """
        if self.cache.get(lock) != owner:
            return False
        for key, (value, life) in writes.items():
            self.set(key, value, life)
        for key in deletes:
            self.delete(key)
        return True


class ScriptedAccess(Access):
    """Redis: the look at the lock and the write are one script.

    The lock's value is an int, which both Redis backends store as its digits, whatever serializer
    and compressor are configured; so the script can compare it.
    """

    scripted = True

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        # By its hash: the text goes over the wire once, and again when the server has lost it.
        from redis.exceptions import ResponseError  # installed, where this is called

        known = self._primary().register_script(script)
        try:
            return known([self._make_key(key) for key in keys], arguments)
        except ResponseError as error:
            raise Refused(one_line(redact(str(error)), 120)) from None

    def write(self, lock: str, owner: int, writes: Writes, deletes: Sequence[str]) -> bool:
        keys = [self._make_key(key) for key in (lock, *writes, *deletes)]
        arguments: list[Any] = [str(owner), len(writes)]
        for value, life in writes.values():
            arguments += [self._encode(value), max(1, ceil(life * 1000))]
        return bool(self._primary().eval(FENCED_WRITE, len(keys), *keys, *arguments))

    def _make_key(self, key: str) -> Any:
        return self.cache.make_and_validate_key(key)

    def _encode(self, value: str) -> Any:
        return self.cache._cache._serializer.dumps(value)

    def _primary(self) -> Any:
        return self.cache._cache.get_client(None, write=True)


class DjangoRedisAccess(ScriptedAccess):
    """Redis through a client of django-redis, of which only connection, keys and encoding count.

    IGNORE_EXCEPTIONS sits in a layer above and answers None; HerdClient keeps a key, and so a
    lock, for a minute longer than it is told.
    """

    def get_many(self, keys: Sequence[str]) -> dict[str, Any]:
        # Never from a replica: the look under the lock must see what was published before it.
        values = self._primary().mget([self._make_key(key) for key in keys])
        found = zip(keys, values, strict=True)
        return {key: self.cache.decode(value) for key, value in found if value is not None}

    def add(self, key: str, value: int, life: float) -> bool:
        milliseconds = max(1, ceil(life * 1000))
        return bool(self._primary().set(self._make_key(key), value, nx=True, px=milliseconds))

    def set(self, key: str, value: str, life: float) -> None:
        milliseconds = max(1, ceil(life * 1000))
        self._primary().set(self._make_key(key), self._encode(value), px=milliseconds)

    def delete(self, key: str) -> None:
        self._primary().delete(self._make_key(key))

    def _make_key(self, key: str) -> str:
        return str(self.cache.make_key(key))

    def _encode(self, value: str) -> Any:
        return self.cache.encode(value)

    def _primary(self) -> Any:
        return self.cache.get_client(write=True)


def access_to(cache: BaseCache) -> Access:
    """Give the best way to reach this cache."""
    known = _lineage(cache)
    if "django_redis.cache" in known:
        client: Any = cache.client  # type: ignore[attr-defined]
        classes = _lineage(client)
        single = "django_redis.client.default" in classes
        # The keys of one identity may be on several servers, which no script reaches.
        sharded = "django_redis.client.sharded" in classes
        return DjangoRedisAccess(client) if single and not sharded else Access(client)
    if "django.core.cache.backends.redis" in known:
        return ScriptedAccess(cache)
    return Access(cache)


def _lineage(instance: object) -> set[str]:
    """Give the modules of all its classes: people subclass caches, to count hits and the like."""
    return {cls.__module__ for cls in type(instance).__mro__}
