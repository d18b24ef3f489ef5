"""Where a client leaves traces: objects, caches, pages, output, settings that are wrong."""

import copy
import io
import json
import pickle
import pprint
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from apiclient_app import Client, clients
from apiclient_app.admin.operations import OPERATIONS
from apiclient_app.auth import Reply
from apiclient_app.flow.exchange import Answer
from apiclient_app.records import Due, Stash, View
from apiclient_app.secret import MASK
from apiclient_app.steps import Ask, RowCall, StoreCall
from apiclient_app.tokens import new_token
from tests.admin.pages import CREDENTIALS, LIST, page, row_page
from tests.command.orders import order
from tests.conftest import Configure

from .canaries import HEADER_TAIL, Canaries
from .conftest import Scene
from .holders import HOLDERS, REFRESHING, client
from .parrot import Parrot
from .traces import raw
from .witnesses import CELERY, caught

each_holder = pytest.mark.parametrize("holder", HOLDERS)

ROW_PAGES = ("change", "history")
ON_ONE = ("rotate", "inspect", "store-refresh-token", "check", "switch", "revoke")
FORMLESS = ("prune", "reencrypt")
ON_ALL = (("list",), ("check",), ("subjects",), ("prune", "--orphans"), ("reencrypt",))


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


@each_holder
def test_no_attribute_of_a_backend_shows_one(
    scene: Scene, configured: Any, parrot: Parrot, holder: str
) -> None:
    # These are mappings and URLs, plain as they were written into the settings.
    plain = ("url", "extra", "login header", "refresh key", "HEADERS", "proxy password")
    client = configured(holder, parrot.origin)
    for thing in (client, client.auth, client.for_subject("user-42"), client.memory):
        scene.hear([(type(thing).__name__, f"{vars(thing)} {pprint.pformat(vars(thing))}")])
    assert [leak for leak in scene.all_leaks() if not leak.endswith(plain)] == []


@pytest.mark.parametrize("holder", REFRESHING)
def test_nothing_on_its_way_to_a_refresh_and_back_shows_one(
    scene: Scene, configured: Any, parrot: Parrot, holder: str
) -> None:
    client = configured(holder, parrot.origin)
    client.store_refresh_token(scene.canaries.hatch("stored refresh token", tail=HEADER_TAIL))
    row = client.rooms.rows.read()
    request = client.auth.refresh_request(row.refresh_token)
    granted = {**parrot.grant(), "scope": "all"}
    reply = Reply(200, {"set-cookie": granted["access_token"]}, json.dumps(granted).encode())
    assert scene.canaries.heard_in(request.content[0])
    assert scene.canaries.heard_in(reply.body)
    grant = client.auth.read(reply)
    stash = Stash(row.generation, row.owner, grant.refresh_token)
    token = new_token(grant.headers, sent_at=0, obtained_at=0, life=9)
    records = (row, stash, View(token=token, due=(Due(token, 9.0),), stash=stash), grant, token)
    steps = (
        Ask(request),
        RowCall("keep", (row, stash.refresh_token)),
        StoreCall("stash", (stash,)),
    )
    for thing in (*records, *steps, request, reply, Answer(reply, grant)):
        told = f"{thing!r} {thing!s} {thing} {pprint.pformat(thing)} {[thing]}"
        scene.hear([(type(thing).__name__, told)])
        if thing in records:
            with pytest.raises(TypeError):
                pickle.dumps(thing)
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
    with_rows(canaries)
    parrot.speech = speech
    for alias in HOLDERS:
        for subject in ("", "user-42") if alias in REFRESHING else ("",):
            scene.hear(
                (alias, shown.content) for shown in pages(admin_client, alias, subject, canaries)
            )
    rows = [row_page(alias, "user-42", name) for alias in REFRESHING for name in ROW_PAGES]
    for url in (LIST, CREDENTIALS, f"{CREDENTIALS}?q=user", *rows):
        shown = admin_client.get(url)
        assert shown.status_code == 200
        scene.hear([(url, shown.content)])
    scene.hear(("history", f"{vars(entry)}") for entry in LogEntry.objects.all())
    assert LogEntry.objects.count() >= len(HOLDERS)
    assert scene.all_leaks() == []


def with_rows(canaries: Canaries) -> None:
    for alias in REFRESHING:
        for who in (clients[alias], clients[alias].for_subject("user-42")):
            who.store_refresh_token(canaries.hatch("stored refresh token", tail=HEADER_TAIL))


def pages(browser: Browser, alias: str, subject: str, canaries: Canaries) -> Iterator[Any]:
    """Give the pages of a client or subject, with each operation done; of the storing of a bad one
    too."""
    for name in (operation.name for operation in OPERATIONS):
        url = page(alias, name, subject)
        yield browser.get(url)
        for end in ("", "\0") if name == "store" else ("",):
            given = {"refresh_token": canaries.hatch("new refresh token", tail=HEADER_TAIL) + end}
            yield browser.post(url, given, follow=True)
    yield browser.get(page(alias, "change", subject), follow=True)
    yield browser.get(page(alias, "history", subject), follow=True)


@pytest.mark.parametrize("speech", ["api 404", "api 401", "code", "description"])
def test_no_command_prints_one(
    scene: Scene,
    canaries: Canaries,
    api_clients: Configure,
    parrot: Parrot,
    monkeypatch: pytest.MonkeyPatch,
    transactional_db: None,
    speech: str,
) -> None:
    api_clients(**{holder: client(holder, parrot.origin, canaries) for holder in HOLDERS})
    with_rows(canaries)
    parrot.speech = speech
    words = [(word, alias) for alias in HOLDERS for word in ON_ONE]
    more = [(word, alias, "--subject", "user-42") for alias in REFRESHING for word in ON_ONE[:3]]
    for given in [*words, *more, *ON_ALL]:
        for form in ("table", "json"):
            typed = io.StringIO(canaries.hatch("new refresh token", tail=HEADER_TAIL))
            monkeypatch.setattr(sys, "stdin", typed)
            command(scene, *given, **({} if given[0] in FORMLESS else {"format": form}))
    assert scene.all_leaks() == []


def command(scene: Scene, *words: str, **options: str) -> None:
    """Run it; hear what it prints, and what becomes of its error with --traceback."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("apiclient", *words, stdout=out, stderr=err, **options)
    except CommandError as error:
        scene.hear_of(error, words[0])
    scene.hear([(words[0], out.getvalue() + err.getvalue())])


@pytest.mark.parametrize(
    ("holder", "option", "shown"),
    [
        ("asserting", "private_key", MASK),
        ("asserting", "refresh_token", MASK),
        ("asserting", "client_secret", MASK),
        ("asserting", "next", {"key_id": MASK, "private_key": MASK}),
        ("refreshing", "next", {"client_id": MASK, "client_secret": MASK}),
        ("with_password", "password", MASK),
        ("paired", "credentials", {"user": MASK, "pin": MASK}),
        ("paired", "refresh_credentials", {"pin": MASK, "was": MASK}),
        ("paired", "refresh_headers", {"X-Was": "{refresh_token}", "X-Key": MASK}),
        ("signed", "secret", MASK),
    ],
)
def test_an_inspection_tells_that_an_option_is_set_but_not_its_value(
    configured: Any, holder: str, option: str, shown: object
) -> None:
    configured(holder, "http://127.0.0.1:9")
    told = order("inspect", "shop", format="json").document["settings"][f"AUTH.{option}"]
    assert shown == (json.loads(told) if isinstance(shown, dict) else told)
