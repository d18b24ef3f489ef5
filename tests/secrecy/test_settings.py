"""Settings that cannot be used are reported by their place, never by what stands there."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from django.core import checks
from pytest_django import Settings

from apiclient_app import APIClientError, clients
from tests.command.orders import order
from tests.conftest import Configure

from .canaries import Canaries
from .conftest import Scene
from .holders import HOLDERS, client, pem
from .witnesses import Told, reported, told_by


def mistakes(canaries: Canaries) -> Iterator[dict[str, Any]]:
    """Give settings with a secret where it does not belong, or where it cannot be used."""
    whole = client("oauth", "http://127.0.0.1:9", canaries)
    auth, options = whole["AUTH"], whole["AUTH"]["OPTIONS"]
    secret = options["client_secret"]
    yield {**whole, "BASE_URL": f"https://joe:{secret}@shop.example/"}
    yield {**whole, "BASE_URL": f"ftp://shop.example/?key={secret}"}
    yield {**whole, "BASE_URL": secret}
    yield {**whole, "HEADERS": f"X-Api-Key: {secret}"}
    yield {**whole, "HEADERS": {"X-Api-Key": [secret]}}
    yield {**whole, "PROXIES": f"http://joe:{secret}@proxy.example/"}
    yield {**whole, "PROXIES": {"http": {"password": secret}}}
    yield {**whole, "TIMEOUT": secret}
    yield {**whole, "AUTH": secret}
    yield {**whole, "AUTH": {**auth, "OPTIONS": secret}}
    yield {**whole, "AUTH": {**auth, "OPTIONS": {**options, "client_secrte": secret}}}
    yield {**whole, "AUTH": {**auth, "OPTIONS": {**options, "client_secret": [secret]}}}
    yield {**whole, "AUTH": {**auth, "OPTIONS": {**options, "client_auth": secret}}}
    yield {**whole, "AUTH": {**auth, "OPTIONS": {**options, "extra": secret}}}
    yield {**whole, "AUTH": {**auth, "OPTIONS": {**options, "token_url": [secret]}}}
    for backend, option in (("ApiKey", "key"), ("StaticToken", "token")):
        unsendable = {option: f"{secret}\n"}
        path = f"apiclient_app.auth.{backend}"
        yield {**whole, "AUTH": {"BACKEND": path, "OPTIONS": unsendable}}
    yield {**whole, "EXPIRED": {"body": secret}}
    yield {**whole, "CHECK": secret}
    yield {**whole, "ENDPOINTS": {"user": secret}}
    for backend, wrong in wrong_options(canaries):
        right = HOLDERS[backend]("http://127.0.0.1:9", canaries)["AUTH"]
        yield {**whole, "AUTH": {**right, "OPTIONS": {**right["OPTIONS"], **wrong}}}


def wrong_options(canaries: Canaries) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give holders with options of theirs that cannot be used."""
    secret, key = canaries.hatch("misplaced"), pem(canaries)
    locked = pem(canaries, how=BestAvailableEncryption(secret.encode()))
    for text in (secret, key.replace("PRIVATE", "PUBLIC"), key[:-40], key[60:], locked, [key]):
        yield "asserting", {"private_key": text}
        yield "bearer", {"private_key": text}
        yield "asserting", {"next": {"private_key": text}}
    yield "asserting", {"algorithm": "ES384"}
    yield "asserting", {"algorithm": secret}
    yield "bearer", {"claims": {"secret": {secret}}}
    yield "bearer", {"client_auth": "client_secret_jwt", "client_secret": secret}
    yield "sharing", {"client_secret": secret[:20]}
    yield "sharing", {"client_secret": key}
    yield "sharing", {"algorithm": "ES256"}
    for successor in (secret, [secret], {secret: "x"}, {"client_secret": [secret]}):
        yield "refreshing", {"next": successor}
    yield "refreshing", {"next": {"client_secret": secret, "scope": "all"}}
    yield "refreshing", {"next": {"client_id": "", "client_secret": secret}}
    yield "refreshing", {"refresh_token": [secret]}
    yield "refreshing", {"refresh_token": "", "client_secret": ""}
    yield "refreshing", {"grace": secret}
    yield "refreshing", {"terminal_errors": secret}
    yield "refreshing", {"refresh_tokn": secret}
    yield "with_password", {"password": {"old": secret}}
    yield "with_password", {"username": [secret]}
    yield "paired", {"refresh_credentials": {"token": secret}, "refresh_headers": {}}
    yield "paired", {"refresh_credentials": secret}
    yield "paired", {"refresh_headers": {"X-Was": [secret]}}
    yield "paired", {"refresh_url": ""}
    yield "paired", {"refresh_url": [secret]}
    yield "signed", {"secret": [secret]}
    yield "signed", {"key_id": f"{secret}\n"}
    yield "signed", {"algorithm": secret}


def told_and_reported(alias: str) -> Iterator[Told]:
    try:
        clients[alias]
    except APIClientError as error:
        yield from told_by(error)
        yield from reported(error)
    else:
        pytest.fail("this alias is fine")


MISTAKES = len(list(mistakes(Canaries())))


@pytest.mark.parametrize("number", range(MISTAKES))
def test_settings_that_are_wrong_are_not_quoted(
    scene: Scene, canaries: Canaries, settings: Settings, number: int
) -> None:
    settings.API_CLIENTS = {"shop": next(islice(mistakes(canaries), number, None))}
    found = checks.run_checks()
    assert found
    scene.hear(("system check", f"{message!r} {message}") for message in found)
    scene.hear(told_and_reported("shop"))
    shown = order("list")
    scene.hear([("list", f"{shown.out} {shown.err}")])
    assert scene.all_leaks() == []


def test_an_alias_that_is_unknown_shows_none_of_the_others(
    scene: Scene, canaries: Canaries, api_clients: Configure
) -> None:
    origin = "http://127.0.0.1:9"
    api_clients(**{holder: client(holder, origin, canaries) for holder in HOLDERS})
    scene.hear(told_and_reported("shpo"))
    assert scene.all_leaks() == []
