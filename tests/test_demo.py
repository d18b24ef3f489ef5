"""The demo site and its provider, as the processes that `make demo` starts."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.test import AsyncClient
from pytest_django import Settings

from project.demo.child import Ended
from project.demo.fleet import Fleet, answers, fetch
from project.provider import CLIENT_ID, CLIENT_SECRET, TOKEN_SECONDS


@pytest.fixture(scope="module")
def provider(redis_url: str) -> Iterator[Fleet]:
    with Fleet(redis_url) as fleet:
        fleet.start_provider()
        fleet.wait()
        yield fleet


@pytest.fixture(scope="module")
def demo(redis_url: str) -> Iterator[Fleet]:
    with Fleet(redis_url) as fleet:
        fleet.start_provider()
        fleet.start_site()
        fleet.wait()
        yield fleet


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def token_request(provider: Fleet, http: requests.Session, secret: str) -> requests.Response:
    return http.post(
        f"{provider.provider_url}/o/token/",
        data={
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": secret,
        },
    )


def test_the_provider_issues_a_short_token(provider: Fleet, http: requests.Session) -> None:
    reply = token_request(provider, http, CLIENT_SECRET).json()

    assert reply["token_type"] == "Bearer"
    assert reply["expires_in"] == TOKEN_SECONDS
    http.headers["Authorization"] = f"Bearer {reply['access_token']}"
    assert http.get(f"{provider.provider_url}/api/planets/earth/").json()["moons"] == 1


def test_the_provider_refuses_a_wrong_secret(provider: Fleet, http: requests.Session) -> None:
    reply = token_request(provider, http, "wrong")

    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


def test_the_api_answers_nobody_without_a_token(provider: Fleet, http: requests.Session) -> None:
    reply = http.get(f"{provider.provider_url}/api/planets/")

    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_api_says_that_a_token_has_expired(provider: Fleet, http: requests.Session) -> None:
    token = token_request(provider, http, CLIENT_SECRET).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    provider.expire_tokens()

    reply = http.get(f"{provider.provider_url}/api/planets/")

    assert reply.status_code == 401
    assert 'Bearer error="invalid_token"' in reply.headers["WWW-Authenticate"]


def test_the_site_shows_what_the_api_knows(demo: Fleet) -> None:
    page = fetch(f"{demo.site_url}/").text

    assert "Neptune" in page
    assert "expires in" in page


def test_the_site_passes_on_that_the_api_does_not_know(
    demo: Fleet, http: requests.Session
) -> None:
    assert http.get(f"{demo.site_url}/planets/pluto/").status_code == 404


TOUR = "/tour/?planet=earth&planet=mars&planet=venus"


def test_an_async_view_is_served_under_wsgi_too(demo: Fleet, http: requests.Session) -> None:
    found = fetch(f"{demo.site_url}{TOUR}").json()["planets"]

    assert [planet["name"] for planet in found] == ["Earth", "Mars", "Venus"]
    assert http.get(f"{demo.site_url}/tour/?planet=pluto").status_code == 404


def test_an_async_view_asks_under_asgi(provider: Fleet, settings: Settings) -> None:
    token_url, options = f"{provider.provider_url}/o/token/", {"client_id": CLIENT_ID}
    options |= {"client_secret": CLIENT_SECRET, "token_url": token_url}
    auth = {"BACKEND": "apiclient_app.auth.ClientCredentials", "OPTIONS": options}
    settings.API_CLIENTS = {"planets": {"BASE_URL": f"{provider.provider_url}/api/", "AUTH": auth}}
    settings.ROOT_URLCONF = "project.urls"

    reply = asyncio.run(AsyncClient().get(TOUR))

    assert [planet["name"] for planet in reply.json()["planets"]] == ["Earth", "Mars", "Venus"]


def test_the_admin_has_its_style(demo: Fleet) -> None:
    assert (
        fetch(f"{demo.site_url}/static/admin/css/base.css").headers["Content-Type"] == "text/css"
    )


def test_the_processes_of_the_site_replace_an_ended_token_once(demo: Fleet) -> None:
    fetch(f"{demo.site_url}/planets/earth/")
    demo.expire_tokens()
    before = demo.seen()

    urls = [f"{demo.site_url}/planets/venus/"] * 64
    with ThreadPoolExecutor(32) as pool:
        planets = [response.json() for response in pool.map(fetch, urls)]

    cost = demo.seen() - before
    assert cost["token_requests"] == 1
    assert cost["calls_200"] == 64
    assert len({planet["process"] for planet in planets}) > 1


def test_leaving_stops_what_was_started(redis_url: str) -> None:
    with Fleet(redis_url) as fleet:
        fleet.start_provider()
        fleet.wait()
        assert answers(f"{fleet.provider_url}/seen/")

    assert not answers(f"{fleet.provider_url}/seen/")
    assert not fleet.folder.exists()


def test_what_does_not_start_says_why(redis_url: str) -> None:
    with Fleet(redis_url) as fleet:
        fleet.start_worker(app="project.nowhere")
        with pytest.raises(Ended, match=r"(?s)worker ended.*nowhere"):
            fleet.wait()
