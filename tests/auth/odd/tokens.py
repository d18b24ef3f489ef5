"""Tokens as providers give them: where they stand, of what type and kind they are."""

import json
from base64 import urlsafe_b64encode
from typing import Any

from tests.auth.replies import NOW, reply

from .outcomes import (
    BASE,
    DEFAULT,
    SECRET,
    Case,
    Granted,
    Unavailable,
    Unsendable,
    at,
    case,
    raw,
    said,
)


def jwt(claims: Any, padding: str = "") -> str:
    parts = [json.dumps({"alg": "none"}).encode(), json.dumps(claims).encode(), b"signature"]
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") + padding for part in parts)


def token(text: str, life: float = DEFAULT, **more: Any) -> Case:
    return case(said(access_token=text, **more), Granted(life, f"Bearer {text}"))


def useless(found: Any) -> Case:
    return case(said(access_token=found), Unavailable("no_token"))


def unsendable(text: str) -> Case:
    return case(said(access_token=text), Unsendable())


def bearer(kind: Any) -> Case:
    return case(said(token_type=kind), Granted())


def unknown(kind: Any) -> Case:
    return case(said(token_type=kind), Unavailable("unknown_token_type"))


def scope(found: Any, text: str) -> Case:
    return case(said(scope=found), Granted(scope=text))


def renewed(found: Any, text: str | None = None) -> Case:
    return case(said(refresh_token=found), Granted(refresh_token=text))


JWTS: dict[str, Case] = {
    "a JWT tells what the reply does not": token(jwt({"exp": at(600)}), 600),
    "a JWT tells what the reply says badly": token(jwt({"exp": at(600)}), 600, expires_in=0),
    "a reply is believed before a JWT": token(jwt({"exp": at(600)}), 60, expires_in=60),
    "a JWT whose exp is a fraction": token(jwt({"exp": at(600.5)}), 600.5),
    "a JWT whose exp is a text": token(jwt({"exp": str(at(600))}), 600),
    "a JWT whose exp is in milliseconds": token(jwt({"exp": at(600) * 1000}), 600),
    "a JWT with padding": token(jwt({"exp": at(600)}, "=="), 600),
    "a JWT that is spent": token(jwt({"exp": at(-1)})),
    "a JWT for ever": token(jwt({"exp": 253_402_300_799})),
    "a JWT without exp": token(jwt({"iat": NOW})),
    "a JWT whose exp is null": token(jwt({"exp": None})),
    "a JWT of a list": token(jwt(["exp", at(600)])),
    "an encrypted JWT": token("a.b.c.d.e"),
    "two dots and no JWT": token("a.b.c"),
    "two dots and signs": token("a.~!*.c"),
}

TOKENS: dict[str, Case] = {
    "token_type missing": case(reply({"access_token": "abc"}), Granted()),
    "token_type null": bearer(None),
    "token_type in lower case (many)": bearer("bearer"),
    "token_type in upper case": bearer("BEARER"),
    "token_type BearerToken (Apigee)": unknown("BearerToken"),
    "token_type MAC": unknown("mac"),
    "token_type DPoP (RFC 9449)": unknown("DPoP"),
    "token_type N_A (RFC 8693)": unknown("N_A"),
    "token_type JWT": unknown("JWT"),
    "token_type as a list": unknown(["Bearer"]),
    "a token in an envelope": case(
        reply({"status": "ok", "data": {"token": "abc"}}), Granted(), token_path="data.token"
    ),
    "a token in a list": case(reply({"all": [{"t": "abc"}]}), Granted(), token_path="all.0.t"),
    "no token": case(reply({"token_type": "Bearer"}), Unavailable("no_token")),
    "a token under another name": case(reply({"accessToken": SECRET}), Unavailable("no_token")),
    "a token of null": useless(None),
    "a token that is empty": useless(""),
    "a token that is blank": useless(" \n"),
    "a token that is a number": useless(12_345),
    "a token that is a boolean": useless(True),
    "a token that is a list": useless([SECRET]),
    "a token that is an object": useless({"token": SECRET}),
    "a token that ends in a line break": case(said(access_token="abc\r\n"), Granted()),
    "a token that brings a header along": unsendable(f"{SECRET}\r\nX-Evil: 1"),
    "a token with a null byte in it": unsendable(f"{SECRET}\x00{SECRET}"),
    "a token that is not ASCII": unsendable(f"{SECRET}ü"),
    "a token of half a surrogate pair": case(raw(b'{"access_token":"\\ud800"}'), Unsendable()),
    "a token of a hundred kilobytes": unsendable(SECRET * 9_000),
    "a token of four kilobytes (Azure AD with groups)": token("a" * 4096),
    "scope granted otherwise than asked": scope("read", "read"),
    "scope as a list": scope(["read", "write"], "read write"),
    "scope null": scope(None, ""),
    "scope with commas (GitHub)": scope("repo,gist", "repo,gist"),
    "scope as a number": scope(7, "7"),
}

REFRESH_TOKENS: dict[str, Case] = {
    "a refresh token": renewed("r2", "r2"),
    "no refresh token, for the old one stays (Google)": case(said(), Granted()),
    "a refresh token of null": renewed(None),
    "a refresh token that is empty": renewed(""),
    "a refresh token that is blank": renewed(" "),
    "a refresh token that is a number": renewed(70_001, "70001"),
    "a refresh token that is a boolean": renewed(True),
    "a refresh token that is an object": renewed({"token": "r2"}),
    "a refresh token that is not ASCII": renewed("rü", "rü"),
    "a refresh token of half a surrogate pair": renewed("\ud800"),
    "a refresh token in an envelope": case(
        reply({**BASE, "renew": {"token": "r2"}}),
        Granted(refresh_token="r2"),
        refresh_token_path="renew.token",
    ),
}
