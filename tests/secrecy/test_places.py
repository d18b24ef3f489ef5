"""Where a client leaves traces: objects, caches, pages, output, settings that are wrong."""

import copy
import pickle
import pprint
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.contrib.admin.models import LogEntry
from django.core.cache import caches
from django.test import Client as Browser

from apiclient_app import Client
from tests import settings as test_settings
from tests.admin.pages import LIST, OPERATIONS, page
from tests.command.orders import order
from tests.conftest import Configure

from .canaries import Canaries
from .conftest import Scene
from .holders import HOLDERS, client
from .parrot import Parrot
from .witnesses import CELERY, Told, caught

each_holder = pytest.mark.parametrize("holder", HOLDERS)


def used(client: Client) -> Client:
    """Have it obtain, use, renew and replace its token, as far as it has one."""
    client.get("echo", raise_for_status=False)
    for operation in (Client.token, Client.rotate_token, Client.check):
        caught(operation, client)
    return client


def parts(thing: Any, seen: set[int], depth: int = 6) -> Iterator[Any]:
    """Give it, and those things of ours that it is made of."""
    if id(thing) in seen or not depth:
        return
    seen.add(id(thing))
    if type(thing).__module__.startswith("apiclient_app"):
        yield thing
    names = [*getattr(thing, "__dict__", ()), *getattr(type(thing), "__slots__", ())]
    for name in names:
        if name not in ("__dict__", "__weakref__", "_value"):  # the last is Secret's own
            yield from parts(getattr(thing, name, None), seen, depth - 1)


@each_holder
def test_no_object_shows_one(scene: Scene, configured: Any, parrot: Parrot, holder: str) -> None:
    client = used(configured(holder, parrot.origin))
    things = list(parts(client, set()))
    assert {"Client", "ClientConfig", "Renewal"} <= {type(thing).__name__ for thing in things}
    for thing in [*things, client.token(), client.inspect(), client.config.masked()]:
        told = f"{thing!r} {thing!s} {thing} {pprint.pformat(thing)} {[thing]}"
        scene.hear([(type(thing).__name__, told)])
    assert scene.all_leaks() == []


@each_holder
@pytest.mark.parametrize("move", [pickle.dumps, copy.deepcopy, CELERY.backend.encode])
def test_no_object_is_moved_with_one(
    scene: Scene, configured: Any, parrot: Parrot, holder: str, move: Callable[[Any], Any]
) -> None:
    client = configured(holder, parrot.origin)
    for thing in (client, client.config, client.config.auth, client.token(), client.inspect()):
        try:
            moved = move(thing)
        except Exception as error:  # noqa: BLE001  # to refuse is fine
            moved = str(error)
        scene.hear([(type(thing).__name__, moved if isinstance(moved, bytes) else repr(moved))])
    assert scene.all_leaks() == []


def raw(cache: str) -> Iterator[Told]:
    """Give keys and values of a cache as they rest in it."""
    if cache == "locmem":
        yield "locmem", repr(caches[cache]._cache)  # type: ignore[attr-defined]
    elif cache == "file":
        for path in test_settings.CACHES["file"]["LOCATION"].glob("*"):
            yield "file", path.read_bytes()
    else:
        with redis.Redis.from_url(test_settings.REDIS_URL) as connection:
            for key in connection.scan_iter(f"*{test_settings.RUN}*"):
                yield "Redis key", key
                yield "Redis value", connection.dump(key)
                yield "Redis value", connection.get(key)


@pytest.mark.parametrize("cache", ["default", "django_redis_builtin", "locmem", "file"])
@pytest.mark.parametrize("holder", ["oauth", "login"])
def test_no_cache_holds_one_in_clear(
    scene: Scene, configured: Any, parrot: Parrot, cache: str, holder: str
) -> None:
    client = used(configured(holder, parrot.origin, CACHE=cache))
    assert scene.canaries.heard_in(str(client.memory.token and client.memory.token.revealed()))
    found = list(raw(cache))
    assert found
    scene.hear(found)
    parrot.speech = "code"
    caught(Client.rotate_token, client)
    scene.hear(raw(cache))
    assert scene.all_leaks() == []


@pytest.mark.parametrize("speech", ["api 404", "api 401", "code", "description"])
def test_no_page_and_no_history_shows_one(
    scene: Scene,
    canaries: Canaries,
    api_clients: Configure,
    parrot: Parrot,
    admin_client: Browser,
    speech: str,
) -> None:
    api_clients(**{holder: client(holder, parrot.origin, canaries) for holder in HOLDERS})
    parrot.speech = speech
    for alias in HOLDERS:
        pages = [admin_client.get(page(alias, name)) for name in OPERATIONS]
        pages += [admin_client.post(page(alias, name), follow=True) for name in OPERATIONS]
        pages += [admin_client.get(page(alias)), admin_client.get(page(alias, "history"))]
        scene.hear((alias, shown.content) for shown in pages)
    scene.hear([("list", admin_client.get(LIST).content)])
    scene.hear(("history", f"{vars(entry)}") for entry in LogEntry.objects.all())
    assert LogEntry.objects.count() >= len(HOLDERS)
    assert scene.all_leaks() == []


@pytest.mark.parametrize("speech", ["api 404", "api 401", "code", "description"])
def test_no_command_prints_one(
    scene: Scene, canaries: Canaries, api_clients: Configure, parrot: Parrot, speech: str
) -> None:
    api_clients(**{holder: client(holder, parrot.origin, canaries) for holder in HOLDERS})
    parrot.speech = speech
    words = [(word, alias) for alias in HOLDERS for word in ("rotate", "inspect", "check")]
    for given in [*words, ("list",), ("check",)]:
        for form in ("table", "json"):
            shown = order(*given, format=form)
            scene.hear([(given[0], f"{shown.out} {shown.err} {shown.error}")])
    assert scene.all_leaks() == []
