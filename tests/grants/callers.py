"""Ways to call the API, each for a subject; they give 200, or what came instead."""

from __future__ import annotations

from typing import Any, NoReturn
from uuid import uuid4

import requests
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client as Visitor
from django.urls import path

from apiclient_app import clients


def client(subject: str) -> Any:
    api: Any = clients["api"]
    return api.for_subject(subject) if subject else api


def directly(subject: str) -> int | str:
    return told(client(subject).get("thing"), subject)


def told(response: requests.Response, subject: str) -> int | str:
    """The status, unless the reply names another than the subject."""
    user = response.json().get("user")
    return response.status_code if user == subject or not subject else f"the reply names {user}"


class Failed(Exception):
    """What the view raises when it has called."""

    def __init__(self, end: int | str) -> None:
        self.end = end


def in_a_failing_view(subject: str) -> int | str:
    """From inside a transaction that is rolled back (ATOMIC_REQUESTS)."""
    try:
        Visitor().get("/visit", {"subject": subject})
    except Failed as failed:
        return failed.end
    return "the view did not fail"


def visit(request: HttpRequest) -> NoReturn:
    Group.objects.create(name=uuid4().hex)
    raise Failed(directly(request.GET["subject"]))


urlpatterns = [path("visit", visit)]


def naively(subject: str) -> int | str:
    """As it is usually done: on 401 take the refresh token, use it, store what came."""
    config: dict[str, Any] = settings.API_CLIENTS["api"]
    pair = cache.get("pair") or {"refresh_token": config["AUTH"]["OPTIONS"]["refresh_token"]}
    response = _ask(config, pair)
    if response.status_code == 401:
        pair = _renew(config["AUTH"]["OPTIONS"], pair["refresh_token"])
        cache.set("pair", pair)
        response = _ask(config, pair)
    return response.status_code


def _ask(config: dict[str, Any], pair: dict[str, str]) -> requests.Response:
    headers = {"Authorization": f"Bearer {pair.get('access_token')}"}
    return requests.get(f"{config['BASE_URL']}thing", headers=headers, timeout=10)


def _renew(options: dict[str, str], refresh_token: str) -> dict[str, str]:
    reply = requests.post(
        options["token_url"],
        data={"grant_type": "refresh_token", "refresh_token": refresh_token},
        auth=(options["client_id"], options["client_secret"]),
        timeout=10,
    )
    reply.raise_for_status()
    return dict(reply.json())


CALLERS = {"directly": directly, "in a failing view": in_a_failing_view, "naively": naively}
