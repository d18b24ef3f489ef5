"""What is measured only where it is there: peers that are installed, and methods of ours."""

from importlib import import_module
from typing import Any

from apiclient_app import APIClientError, clients


class Missing(Exception):
    """Says why a contender is left out."""


def peer(module: str) -> Any:
    """Import a peer, when it is its turn."""
    try:
        return import_module(module)
    except ImportError:
        raise Missing("not installed") from None


def ours(alias: str, method: str) -> Any:
    """Give a method of a client, as far as this version has them."""
    try:
        found = getattr(clients[alias], method, None)
    except APIClientError as error:
        raise Missing(f"not in this version: {error}") from None
    if found is None:
        raise Missing("not in this version")
    return found
