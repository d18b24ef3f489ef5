"""Bodies and statuses, as providers and what stands before them answer."""

import json
from typing import Any

from tests.auth.replies import reply

from .outcomes import BASE, SECRET, Case, Granted, Refused, Unavailable, case, raw, said

JSON = json.dumps(BASE).encode()
PAGE = b"<html>Bad gateway</html>"


def unreadable(body: bytes, status: int = 200, **headers: str) -> Case:
    return case(raw(body, status, **headers), Unavailable("unreadable"))


BODIES: dict[str, Case] = {
    "a byte order mark (IIS)": case(raw(b"\xef\xbb\xbf" + JSON), Granted()),
    "UTF-16": case(raw(JSON.decode().encode("utf-16")), Granted()),
    "a name in Latin-1": case(
        raw(b'{"access_token":"abc","refresh_token":"r2","user":"Jos\xe9"}'),
        Granted(refresh_token="r2"),
    ),
    "a charset that is said": case(
        raw(JSON, content_type="application/json; charset=iso-8859-1"), Granted()
    ),
    "JSON called text/html (PHP)": case(raw(JSON, content_type="text/html"), Granted()),
    "white space around it": case(raw(b"\n\n" + JSON + b"\n"), Granted()),
    "a member twice": case(raw(b'{"access_token":"x","access_token":"abc"}'), Granted()),
    "members that nobody knows": case(said(id_token="x.y.z", user={"a": [1]}), Granted()),
    "201 Created": case(raw(JSON, 201), Granted()),
    "204 No Content": unreadable(b"", 204),
    "an empty body": unreadable(b""),
    "a form (GitHub, and Facebook once)": unreadable(b"access_token=" + SECRET.encode()),
    "a list": case(reply([{"access_token": SECRET}]), Unavailable("unreadable")),
    "null": unreadable(b"null"),
    "a number": unreadable(b"42"),
    "a bare text, which is the token": case(reply(SECRET), Unavailable("unreadable")),
    "a page of a hotel's wifi": unreadable(b"<html>Sign in", content_type="text/html"),
    "JSON cut off": unreadable(JSON[:-1] + b',"refresh_token":"' + SECRET.encode()),
    "JSONP": unreadable(b'cb({"access_token":"' + SECRET.encode() + b'"})'),
    "nesting without end": unreadable(b'{"a":' * 100_000),
    "a number of ten thousand digits": unreadable(b'{"expires_in":' + b"9" * 10_000 + b"}"),
    "bytes that are no text": unreadable(bytes(range(128, 256))),
}


def answered(status: int, document: Any, outcome: Refused | Unavailable) -> Case:
    return case(reply(document, status), outcome)


def refused(error: str, status: int = 400) -> Case:
    return answered(status, {"error": error}, Refused(error))


def unavailable(error: Any, status: int = 400) -> Case:
    return answered(status, {"error": error}, Unavailable(str(error)))


def page(status: int, outcome: Refused | Unavailable, **headers: str) -> Case:
    return case(raw(PAGE, status, content_type="text/html", **headers), outcome)


ERRORS: dict[str, Case] = {
    "invalid_grant": refused("invalid_grant"),
    "invalid_grant, with 200": refused("invalid_grant", 200),
    "invalid_grant, with 401": refused("invalid_grant", 401),
    "invalid_grant, with 500": refused("invalid_grant", 500),
    "invalid_client, with 401": refused("invalid_client", 401),
    "invalid_request": unavailable("invalid_request"),
    "invalid_request where invalid_grant is meant": case(
        reply({"error": "invalid_request"}, 400),
        Refused("invalid_request"),
        terminal_errors=("invalid_grant", "invalid_request"),
    ),
    "an error of the API's own": unavailable("token_locked"),
    "an error of the API's own, with 200": unavailable("slow_down", 200),
    "server_error, with 400": unavailable("server_error"),
    "an error as a number": unavailable(7),
    "an error as an object": answered(
        400, {"error": {"code": "invalid_grant", "message": "no"}}, Refused("invalid_grant")
    ),
    "an error as a list": answered(400, {"error": ["invalid_grant"]}, Refused("http_400")),
    "an error beside a token": case(said(error="invalid_grant"), Refused("invalid_grant")),
    "an error of null beside a token": case(said(error=None), Granted()),
    "an error of false beside a token": case(said(error=False), Granted()),
    "an error that is empty beside a token": case(said(error=""), Granted()),
    "an error of code zero beside a token": case(said(error={"code": 0}), Granted()),
    "400 without a body": case(raw(b"", 400), Refused("http_400")),
    "401 with a page": page(401, Refused("http_401")),
    "403 of a firewall": page(403, Refused("http_403")),
    "404 with a page": page(404, Refused("http_404")),
    "405 with a message": answered(405, {"message": "no"}, Refused("http_405")),
    "408": case(raw(b"", 408), Unavailable("http_408")),
    "429 with a date": page(
        429, Unavailable("http_429", 120), retry_after="Fri, 15 Jan 2027 08:02:00 GMT"
    ),
    "429 with seconds": page(429, Unavailable("http_429", 7), retry_after="7"),
    "429 with garbage": page(429, Unavailable("http_429"), retry_after="soon"),
    "500 with a page": page(500, Unavailable("http_500")),
    "502 of a proxy": page(502, Unavailable("http_502")),
    "503 with seconds": page(503, Unavailable("http_503", 30), retry_after="30"),
    "504 with an empty body": case(raw(b"", 504), Unavailable("http_504")),
    "a redirect to a page": page(302, Unavailable("http_302"), location="/login"),
    "a redirect that keeps the method": answered(307, BASE, Unavailable("http_307")),
    "304 with a token": answered(304, BASE, Unavailable("http_304")),
}
