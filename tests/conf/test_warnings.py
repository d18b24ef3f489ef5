"""System checks: caches and databases that cannot do the job, and what needs attention."""

import tempfile
from typing import Any

import pytest
from django.core.cache.backends.base import BaseCache
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.db import connection, connections
from pytest_django import Settings

from apiclient_app import checks
from apiclient_app.models import Credential
from tests import settings as test_settings
from tests.conftest import Configure

GOOD = {"BASE_URL": "https://api.example/"}
TIMEOUTS = {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1}
JSON = {"SERIALIZER": "django_redis.serializers.json.JSONSerializer"}


class Own(BaseCache):
    """A cache of somebody's: what it can do is not known here."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)


def found(**options: Any) -> list[CheckMessage]:
    return [m for m in run_checks(**options) if (m.id or "").startswith("apiclient_app.W")]


def django_redis(**options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": "redis://redis.example/",
        "OPTIONS": options,
    }


def builtin(**options: Any) -> dict[str, Any]:
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://redis.example/",
        "OPTIONS": options,
    }


def plain(name: str) -> dict[str, Any]:
    return {"BACKEND": f"django.core.cache.backends.{name}"}


POOL = {"CONNECTION_POOL_KWARGS": {"socket_timeout": 1, "socket_connect_timeout": 1}}
LOWER = {"socket_timeout": 1, "socket_connect_timeout": 1}
CACHES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "locmem": (plain("locmem.LocMemCache"), {"W001": "Use Redis"}),
    "file": (
        {**plain("filebased.FileBasedCache"), "LOCATION": tempfile.gettempdir()},
        {"W002": "Memcached"},
    ),
    "dummy": (plain("dummy.DummyCache"), {"W003": "local-memory"}),
    "database": ({**plain("db.DatabaseCache"), "LOCATION": "x"}, {"W007": "database alias"}),
    "redis without timeouts": (django_redis(**JSON), {"W004": "SOCKET_TIMEOUT and SOCKET_CONN"}),
    "redis with one": (django_redis(**JSON, SOCKET_TIMEOUT=1), {"W004": "SOCKET_CONNECT_TIMEOUT"}),
    "redis with pool options": (django_redis(**JSON, **POOL), {}),
    "redis with pickle": (django_redis(**TIMEOUTS), {"W005": "JSONSerializer"}),
    "redis with both": (django_redis(), {"W004": "OPTIONS", "W005": "JSONSerializer"}),
    "redis as it should be": (django_redis(**TIMEOUTS, **JSON), {}),
    "builtin without timeouts": (builtin(), {"W004": "socket_timeout and socket_connect_timeout"}),
    "builtin with": (builtin(**LOWER), {}),
    "somebody's own": ({"BACKEND": f"{__name__}.Own"}, {}),
}


@pytest.mark.parametrize(("cache", "warnings"), CACHES.values(), ids=CACHES)
def test_a_cache_is_warned_about(
    settings: Settings, cache: dict[str, Any], warnings: dict[str, str]
) -> None:
    settings.CACHES = {"default": plain("dummy.DummyCache"), "tokens": cache}
    settings.API_CLIENTS = {"shop": {**GOOD, "CACHE": "tokens"}}
    told = {(m.id or "").removeprefix("apiclient_app."): m for m in found()}
    assert told.keys() == warnings.keys()
    for code, hint in warnings.items():
        assert hint in str(told[code].hint)
        assert told[code].msg.startswith("CACHES['tokens'] ")


def test_a_cache_that_no_client_uses_is_nobodys_business(settings: Settings) -> None:
    settings.CACHES = {
        "default": plain("locmem.LocMemCache"),
        "good": test_settings.CACHES["default"],
    }
    settings.API_CLIENTS = {"shop": {**GOOD, "CACHE": "good"}}
    assert found() == []


def test_a_cache_is_warned_about_once_however_many_use_it(settings: Settings) -> None:
    settings.CACHES = {"default": plain("locmem.LocMemCache")}
    settings.API_CLIENTS = {"one": GOOD, "two": GOOD, "three": {"CACHE": ["odd"]}, "four": 4}
    assert [m.id for m in found()] == ["apiclient_app.W001"]


def test_unverified_tls_is_warned_about_on_deployment(api_clients: Configure) -> None:
    api_clients(shop={**GOOD, "VERIFY": False}, other={**GOOD, "VERIFY": "ca.pem"}, third=3)
    assert found() == []
    (message,) = found(include_deployment_checks=True)
    assert message.id == "apiclient_app.W006"
    assert "API_CLIENTS['shop']['VERIFY']" in message.msg
    assert "CA bundle" in str(message.hint)


@pytest.mark.parametrize("value", [None, [], "x"])
def test_warnings_survive_a_setting_that_is_no_dict(settings: Settings, value: Any) -> None:
    settings.API_CLIENTS = value
    assert found(include_deployment_checks=True) == []


TOKEN_URL = "https://api.example/token"
APP = {"token_url": TOKEN_URL, "client_id": "app", "client_secret": "s3cr3t"}
REFRESHING = ("RefreshToken", APP)
PASSWORD = ("Password", {**APP, "username": "joe", "password": "pw"})


def keeping(backend: str, options: dict[str, Any]) -> dict[str, Any]:
    return {**GOOD, "AUTH": {"BACKEND": f"apiclient_app.auth.{backend}", "OPTIONS": options}}


def asked(*databases: str) -> dict[str | None, CheckMessage]:
    """Give what is found when databases may be asked, as with `check --database default`."""
    return {m.id: m for m in found(databases=databases or ["default"])}


def row(alias: str, attention: str = "refused: invalid_grant") -> None:
    identity = f"{alias}-{Credential.objects.count()}"
    Credential.objects.create(identity=identity, alias=alias, attention=attention)


@pytest.fixture
def rows(api_clients: Configure, db: None) -> None:
    api_clients(shop=keeping(*REFRESHING), crm=keeping(*PASSWORD), plain=GOOD)


def test_credentials_that_need_attention_are_counted(rows: None) -> None:
    for alias in ("shop", "shop", "crm", "gone"):
        row(alias)
    row("shop", attention="")
    message = asked()["apiclient_app.W008"]
    assert message.msg.startswith("2 credentials need attention")
    assert message.msg.endswith(": shop (2).")
    assert "store-refresh-token ALIAS [--subject S]" in str(message.hint)


def test_one_credential_needs_attention(rows: None) -> None:
    row("shop")
    assert asked()["apiclient_app.W008"].msg.startswith("One credential needs attention")


def test_where_nobody_is_needed_nothing_is_said(rows: None) -> None:
    row("shop", attention="")
    row("crm")
    assert "apiclient_app.W008" not in asked()


def test_a_missing_table_is_told_to_who_cannot_do_without(
    rows: None, api_clients: Configure
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE apiclient_app_credential RENAME TO gone")
    message = asked()["apiclient_app.W009"]
    assert "'shop'" in message.msg
    assert "'crm'" not in message.msg
    assert "migrate apiclient_app" in str(message.hint)
    api_clients(crm=keeping(*PASSWORD))
    assert "apiclient_app.W009" not in asked()


def test_no_database_is_asked_unless_a_person_says_so(
    api_clients: Configure, django_db_blocker: Any
) -> None:
    api_clients(shop=keeping(*REFRESHING))
    with django_db_blocker.block():
        assert [m.id for m in found()] == ["apiclient_app.W010"]
        assert [m.id for m in found(databases=[])] == ["apiclient_app.W010"]
        assert checks.check_rows(databases=["other"]) == []
        with pytest.raises(RuntimeError):
            asked()


def test_migrate_says_what_needs_attention(rows: None, capsys: pytest.CaptureFixture[str]) -> None:
    row("shop")
    call_command("migrate", skip_checks=False, verbosity=0)
    assert "apiclient_app.W008" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("engine", "told"),
    [("sqlite3", ["apiclient_app.W010"]), ("postgresql", []), ("mysql", [])],
)
def test_refresh_tokens_in_sqlite_are_warned_about(
    api_clients: Configure, monkeypatch: pytest.MonkeyPatch, engine: str, told: list[str]
) -> None:
    vendor = engine.removesuffix("3")
    monkeypatch.setattr(type(connections["default"]), "vendor", vendor)
    api_clients(shop=keeping(*REFRESHING), crm=keeping(*PASSWORD), plain=GOOD)
    assert [m.id for m in found()] == told
    if told:
        assert "'shop', 'crm'" in found()[0].msg
    api_clients(plain=GOOD, broken=3)
    assert found() == []


@pytest.mark.parametrize(
    ("grace", "timeout", "told"), [(10, 10, True), (13, 10, False), (0, 10, False)]
)
def test_a_grace_that_ends_too_soon_is_warned_about(
    api_clients: Configure, grace: float, timeout: float, told: bool
) -> None:
    described = keeping(*REFRESHING)
    options = {**described["AUTH"]["OPTIONS"], "grace": grace}
    auth = {**described["AUTH"], "OPTIONS": options}
    api_clients(shop={**described, "AUTH": auth, "TOKEN_TIMEOUT": timeout})
    assert ("apiclient_app.W011" in [m.id for m in found()]) is told


@pytest.mark.parametrize("installed", [True, False])
def test_libcurl_without_pycurl_is_warned_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    settings.API_CLIENTS = {"api": {"BASE_URL": "https://api.example/", "ENGINE": "curl"}}
    monkeypatch.setattr(
        "apiclient_app.checks.find_spec", lambda _: object() if installed else None
    )
    assert ("apiclient_app.W012" in [m.id for m in found()]) is not installed
