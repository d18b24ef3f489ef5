"""A path joins under BASE_URL, and nothing in it leads out."""

import string
from collections.abc import Callable
from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from apiclient_app.exceptions import ForeignOrigin, InvalidRequest
from apiclient_app.paths import fill, join, origin

BASE = "https://api.example/v1/"
HOSTILE = st.text(alphabet="./\\%2eEfF5cC@:?#;&=~ \t\r\nab§", max_size=24)


def sent(url: str) -> str:
    """Give the URL that requests makes of this one."""
    return str(requests.Request("GET", url).prepare().url)


@pytest.mark.parametrize("base", [BASE, BASE.rstrip("/")])
@pytest.mark.parametrize("path", ["users/octocat", "/users/octocat"])
def test_a_path_joins_with_and_without_slashes(base: str, path: str) -> None:
    assert join(base, path, "github") == "https://api.example/v1/users/octocat"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("", BASE),
        ("/", BASE),
        ("?page=2", f"{BASE}?page=2"),
        ("users?q=a/../b", f"{BASE}users?q=a/../b"),
        ("users#part", f"{BASE}users"),
        ("users/", f"{BASE}users/"),
        ("a//b", f"{BASE}a//b"),
        ("a/./b", f"{BASE}a/./b"),
        ("a/../b", f"{BASE}a/../b"),
        (".well-known/x", f"{BASE}.well-known/x"),
        ("..a/b...", f"{BASE}..a/b..."),
        ("with space", f"{BASE}with space"),
        ("größe", f"{BASE}größe"),
        ("documents:batchGet", f"{BASE}documents:batchGet"),
        ("mailto:a@b", f"{BASE}mailto:a@b"),
        ("user@host/x", f"{BASE}user@host/x"),
        ("https:/evil.example", f"{BASE}https:/evil.example"),
        (" https://evil.example", f"{BASE} https://evil.example"),
        ("https://api.example/v2/next?page=2", "https://api.example/v2/next?page=2"),
        ("HTTPS://API.EXAMPLE:443/x", "HTTPS://API.EXAMPLE:443/x"),
    ],
)
def test_a_path_stays_what_it_was(path: str, url: str) -> None:
    joined = join(BASE, path, "github")
    assert joined == url
    assert origin(sent(joined)) == origin(BASE)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "http://api.example/v1/",
        "https://api.example:8443/v1/",
        "https://api.example.evil.example/",
        "https://api.example@evil.example/",
        "https://user:pw@api.example/",
        "https://api.example\\@evil.example/",
        "ftp://api.example/",
        "https://[::1/",
        "https://api.example:port/",
        "https:///v1/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "..",
        "../",
        "../v2/users",
        "/../v2",
        "a/../../v2",
        "a//../../v2",
        "./../v2",
        "%2e%2e/v2",
        ".%2E/v2",
        "..%2fv2",
        "a/%2e%2e/%2E%2E/v2",
        "a%2f..%2f..%2fv2",
        "users\r\nHost: evil.example",
        "users\tx",
        "users\x00x",
        "users\x7f",
    ],
)
def test_a_path_that_would_leave_is_refused(path: str) -> None:
    with pytest.raises(ForeignOrigin, match=r"^github: .*nothing was sent") as caught:
        join(BASE, path, "github")
    assert caught.value.alias == "github"
    assert "\n" not in str(caught.value)


def test_a_refusal_does_not_show_the_query_nor_user_information() -> None:
    with pytest.raises(ForeignOrigin) as caught:
        join(BASE, "https://joe:hunter2@evil.example/x?access_token=s3cr3t", "github")
    assert "hunter2" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("users/7\r\nX-Key: s3cr3t", "'users/7'"),
        ("users/7\ts3cr3t", "'users/7'"),
        ("\x7fs3cr3t", "''"),
        ("joe@users/7\x00s3cr3t", "'users/7'"),
        ("https://joe:s3cr3t\n@evil.example/", "''"),
        ("a\ns3cr3t@b", "''"),
        ("s3cr3t@users/7\nb", "'users/7'"),
    ],
)
def test_a_refusal_shows_a_path_no_further_than_its_first_control_character(
    path: str, shown: str
) -> None:
    with pytest.raises(ForeignOrigin, match=f"^github: {shown} holds ") as caught:
        join(BASE, path, "github")
    assert "s3cr3t" not in str(caught.value)


def leaves(url: str) -> bool:
    """Whether this URL, as it is sent, is outside BASE: also when dots are resolved twice."""
    parts = urlsplit(sent(url))
    reach = normpath("/" + unquote(parts.path).lstrip("/"))
    return origin(url) != origin(BASE) or not f"{reach}/".startswith("/v1/")


@given(st.one_of(HOSTILE, st.text(max_size=30)))
@example("/%2e%2e%2f")
@example("a/.%2e/..")
def test_no_relative_path_leaves_the_base_url(path: str) -> None:
    if "://" in path:
        return
    try:
        joined = join(BASE, path, "github")
    except ForeignOrigin:
        return
    try:
        assert not leaves(joined)
    except requests.exceptions.InvalidURL:
        return


@given(st.sampled_from(["", "/", "https:", "https://api.example"]), HOSTILE)
def test_no_path_leaves_the_origin(start: str, rest: str) -> None:
    try:
        joined = join(BASE, start + rest, "github")
        assert origin(sent(joined)) == origin(BASE)
    except (ForeignOrigin, requests.exceptions.InvalidURL):
        return


VALUES = st.one_of(HOSTILE, st.text(min_size=1), st.integers(), st.booleans(), st.floats())


@given(VALUES)
@example("..%2f..%2f..")
@example("a/../../..")
@example("%2e%2e")
@example("x?admin=1#y")
@example("\ud800")
def test_no_value_leaves_its_path_segment(value: Any) -> None:
    try:
        path, rest = fill("users/{name}/keys", {"name": value}, "github")
        url = sent(join(BASE, path, "github"))
    except InvalidRequest:
        return
    assert rest == {}
    parts = urlsplit(url)
    assert (parts.query, parts.fragment) == ("", "")
    before, segment, after = parts.path.removeprefix("/v1/").split("/")
    assert (before, after) == ("users", "keys")
    assert unquote(segment) == str(value)


def test_values_that_are_not_for_the_path_are_left_over() -> None:
    path, rest = fill("users/{name}", {"name": "a b", "params": {"q": "1"}, "timeout": 3}, "x")
    assert path == "users/a%20b"
    assert rest == {"params": {"q": "1"}, "timeout": 3}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "needs name="),
        ({"name": None}, "name is empty"),
        ({"name": ""}, "name is empty"),
        ({"name": "."}, "dot segment"),
        ({"name": ".."}, "dot segment"),
        ({"name": "\ud800"}, "name"),
    ],
)
def test_a_value_that_cannot_be_a_segment_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^github: .*{said}"):
        fill("users/{name}", values, "github")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.example", "https://API.example.:443/x"),
        ("http://api.example:80/", "http://api.example"),
        ("https://[::1]/", "https://[::1]:443/x"),
    ],
)
def test_origins_are_compared_as_the_rfc_has_it(one: str, other: str) -> None:
    assert origin(one) == origin(other)


def test_a_name_that_ends_with_two_dots_is_another() -> None:
    assert origin("https://api.example..") != origin("https://api.example")


ALPHABET = string.ascii_letters + string.digits + "_.~/-"


@given(st.text(alphabet=ALPHABET, min_size=1))
def test_the_shortcut_for_plain_paths_says_what_the_long_way_says(path: str) -> None:
    def outcome(work: Callable[[], str]) -> str:
        try:
            return work()
        except ForeignOrigin:
            return "refused"

    # A query takes the long way and changes nothing else.
    long_way = outcome(lambda: join(BASE, f"{path}?", "x").removesuffix("?"))
    assert outcome(lambda: join(BASE, path, "x")) == long_way


def test_a_refusal_names_its_reason() -> None:
    with pytest.raises(ForeignOrigin, match="user information"):
        join("https://api.example/v1/", "https://joe@api.example/v1/x", "api")
    with pytest.raises(ForeignOrigin, match="another origin"):
        join("https://api.example/v1/", "https://other.example/v1/x", "api")
    assert join("https://api.example/v1/", "https://api.example/v1/@me", "api").endswith("/@me")
