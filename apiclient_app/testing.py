"""For tests of code that calls `clients`: the same token each time, from no endpoint."""

from __future__ import annotations

from typing import Any

from django.test import override_settings

from .conf import config_for, configured


def fixed_token(*aliases: str, token: str = "test-token") -> override_settings:
    """Have clients sign with a fixed token: a decorator and a context manager.

    All clients that obtain tokens, or those named. The API itself is mocked as for requests:

        @fixed_token()
        @responses.activate
        def test_profile(): ...
    """
    clients = {alias: dict(source) for alias, source in configured().items()}
    for alias in aliases or clients:
        if config_for(alias).auth.renewable:
            clients[alias]["AUTH"] = _fixed(clients[alias]["AUTH"], token)
    return override_settings(API_CLIENTS=clients)


def _fixed(auth: dict[str, Any], token: str) -> dict[str, Any]:
    options = auth.get("OPTIONS", {})
    kept = {name: options[name] for name in ("header", "prefix") if name in options}
    return {
        "BACKEND": "apiclient_app.auth.StaticToken",
        "OPTIONS": {"token": token, **kept},
    }
