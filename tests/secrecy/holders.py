"""Clients with a canary wherever a secret can be put, one for each way of holding it."""

from collections.abc import Callable
from typing import Any

from .canaries import HEADER_TAIL, Canaries

Settings = dict[str, Any]


def backend(name: str, **options: Any) -> Settings:
    return {"AUTH": {"BACKEND": f"apiclient_app.auth.{name}", "OPTIONS": options}}


def oauth(origin: str, canaries: Canaries, **options: Any) -> Settings:
    given = {
        "token_url": f"{origin}/token?key={canaries.hatch('token_url', tail='')}",
        "client_id": "app",
        "client_secret": canaries.hatch("client_secret"),
        "extra": {"password": canaries.hatch("extra")},
        "revocation_url": f"{origin}/revoke?key={canaries.hatch('revocation_url', tail='')}",
    }
    return backend("ClientCredentials", **{**given, **options})


def proxied(origin: str, canaries: Canaries) -> Settings:
    proxy = origin.replace("//", f"//joe:{canaries.hatch('proxy password', tail='')}@")
    return {**oauth(origin, canaries), "PROXIES": {"http": proxy}}


def login(_origin: str, canaries: Canaries, **options: Any) -> Settings:
    credentials = {"user": "joe", "pin": canaries.hatch("login credential")}
    headers = {"X-Door-Key": canaries.hatch("login header", tail=HEADER_TAIL)}
    given = {"login_url": "/login", "credentials": credentials, "headers": headers}
    return backend("Login", **given, **options)


def api_key(_origin: str, canaries: Canaries, **options: Any) -> Settings:
    return backend("ApiKey", key=canaries.hatch("API key", tail=HEADER_TAIL), **options)


def static(_origin: str, canaries: Canaries) -> Settings:
    return backend("StaticToken", token=canaries.hatch("static token", tail=HEADER_TAIL))


def password(_origin: str, canaries: Canaries) -> Settings:
    return backend("Basic", username="joe", password=canaries.hatch("password"))


def posting(origin: str, canaries: Canaries) -> Settings:
    return oauth(origin, canaries, client_auth="client_secret_post")


def form(origin: str, canaries: Canaries) -> Settings:
    return login(origin, canaries, body="form")


def in_query(origin: str, canaries: Canaries) -> Settings:
    return api_key(origin, canaries, query="k")


HOLDERS: dict[str, Callable[[str, Canaries], Settings]] = {
    holder.__name__: holder
    for holder in (oauth, posting, proxied, login, form, api_key, in_query, static, password)
}


def client(holder: str, origin: str, canaries: Canaries) -> Settings:
    """Give the settings of a client that calls `origin`."""
    headers = {"X-Partner-Key": canaries.hatch("HEADERS", tail=HEADER_TAIL)}
    more = {"BASE_URL": f"{origin}/api/", "HEADERS": headers, "CHECK": "GET echo"}
    return {**HOLDERS[holder](origin, canaries), "TIMEOUT": (1, 1), **more}
