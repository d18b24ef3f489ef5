"""Grants by refresh token, in all the states that they can be in."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from apiclient_app import APIClientError, Client, clients
from apiclient_app.models import Credential
from tests.servers import Handle, Reply

REFUSED = Reply.of({"error": "invalid_grant"}, 400)
LOST = Reply(body="lost, with all that was in it", style="cut")


def refreshing(api: Handle, **settings: Any) -> dict[str, Any]:
    """Give the settings of a client that lives by refresh tokens."""
    return api.config("RefreshToken", TOKEN_TIMEOUT=1, **settings)


def held(client: Client, refresh_token: str = "r1") -> Client:
    client.store_refresh_token(refresh_token)
    return client


def asked(client: Client) -> None:
    """Have it ask for a token, whatever comes of it."""
    with suppress(APIClientError):
        client.token()


def refused(api: Handle, client: Client) -> Client:
    api.script("/token", REFUSED)
    asked(held(client))
    return client


def in_doubt(api: Handle, client: Client) -> Client:
    api.script("/token", LOST)
    asked(held(client))
    return client


def of_subjects(alias: str, *subjects: str) -> Iterator[Client]:
    return (clients[alias].for_subject(subject) for subject in subjects)


def row(alias: str = "shop", subject: str = "") -> Credential:
    return Credential.objects.get(alias=alias, subject=subject)


def aged(days: float, **which: Any) -> None:
    """Make rows as old as that."""
    changed = timezone.now() - timedelta(days=days)
    assert Credential.objects.filter(**which).update(updated_at=changed)


_numbers = count()


def strangers(alias: str, number: int, **columns: Any) -> None:
    """Make rows that no client of ours has written."""
    Credential.objects.bulk_create(
        Credential(
            identity=f"stranger-{next(_numbers)}",
            alias=alias,
            **{"subject": f"user-{n}", "refresh_token": "1.sealed elsewhere", **columns},
        )
        for n in range(number)
    )
