"""Errors live on after pickling, copying, and a rebuilding from JSON as Celery does it."""

import copy
import json
import pickle
from typing import Any

import pytest
import requests

from apiclient_app.exceptions import (
    APIClientError,
    CallError,
    RateLimited,
    StatusError,
    TokenRefused,
    TokenUnavailable,
)

from .test_exceptions import CLASSES


def instance(kind: type[APIClientError]) -> APIClientError:
    """Give an error as the app raises it, with all it can have."""
    if not issubclass(kind, CallError):
        return kind("shop: it is broken")
    response = requests.Response()
    response.request = requests.Request("GET", "https://api.example/?key=hunter2").prepare()
    place: dict[str, Any] = {"alias": "shop", "method": "GET", "url": "https://api.example/"}
    if kind is TokenRefused:
        return TokenRefused("invalid_client", "no such", message="shop: refused", alias="shop")
    if kind is TokenUnavailable:
        return TokenUnavailable("shop: broken", retry_after=3.5, error="http_503", alias="shop")
    error = kind("shop: it is broken", response=response, **place)
    if isinstance(error, StatusError):
        error.status_code = 429
    if isinstance(error, RateLimited):
        error.retry_after = 7.0
    return error


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("way", ["pickle", "copy", "deepcopy"])
def test_every_error_survives_without_its_response(kind: type[APIClientError], way: str) -> None:
    error = instance(kind)
    ways = {
        "pickle": lambda e: pickle.loads(pickle.dumps(e)),
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
    }
    revived = ways[way](error)
    assert type(revived) is kind
    assert (str(revived), revived.args) == (str(error), error.args)
    plain = {n: v for n, v in vars(error).items() if n not in ("response", "request")}
    assert {n: vars(revived)[n] for n in plain} == plain
    assert getattr(revived, "response", None) is None
    if way == "pickle":
        assert b"hunter2" not in pickle.dumps(error)


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_error_can_be_rebuilt_from_json_as_celery_does(kind: type[APIClientError]) -> None:
    error = instance(kind)
    revived = kind(*json.loads(json.dumps(error.args)))
    assert str(revived) == str(error)


@pytest.mark.parametrize("kind", CLASSES.values(), ids=CLASSES)
def test_every_error_can_be_raised_bare(kind: type[APIClientError]) -> None:
    assert str(kind()) is not None
    assert repr(kind("text"))
