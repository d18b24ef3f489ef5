"""How long a token lives, as providers say it."""

import json

from apiclient_app.auth import Reply
from tests.auth.replies import NOW

from .outcomes import BASE, Case, Granted, at, case, raw, said


def seconds(life: object, meant: float = 3600) -> Case:
    return case(said(expires_in=life), Granted(meant))


def milliseconds(life: object, meant: float) -> Case:
    return case(said(ttl=life), Granted(meant), expires_path="ttl", expires_unit="milliseconds")


def epoch(moment: object, meant: float = 3600) -> Case:
    return case(said(on=moment), Granted(meant), expires_path="on", expires_unit="epoch")


def date(moment: object, meant: float = 3600) -> Case:
    return case(said(on=moment), Granted(meant), expires_path="on", expires_unit="datetime")


def ten_minutes_ahead(member: object, unit: str) -> Case:
    """By a provider's clock that is ahead of ours; its Date has whole seconds."""
    headers = {"date": "Fri, 15 Jan 2027 08:10:00 GMT"}
    body = json.dumps({**BASE, "on": member}).encode()
    answer = Reply(200, headers, body, NOW, NOW)
    return case(answer, Granted(59.5), expires_path="on", expires_unit=unit)


LIVES: dict[str, Case] = {
    "expires_in as the RFC has it": seconds(7199, 7199),
    "expires_in as a text (Azure AD v1)": seconds("3599", 3599),
    "expires_in as a float": seconds(59.5, 59.5),
    "expires_in as a text of a float": seconds("1800.0", 1800),
    "expires_in with spaces around it": seconds(" 60\n", 60),
    "expires_in with an exponent": case(
        raw(b'{"access_token":"abc","expires_in":6e1}'), Granted(60)
    ),
    "expires_in missing (GitHub, Slack)": case(said(), Granted()),
    "expires_in null": seconds(None),
    "expires_in zero, for never": seconds(0),
    "expires_in negative (a clock set back)": seconds(-30),
    "expires_in negative, as a text": seconds("-1"),
    "expires_in absurd, for never": seconds(2**63 - 1),
    "expires_in with more digits than a float has": seconds(10**400),
    "expires_in as words": seconds("1 hour"),
    "expires_in as an ISO duration": seconds("PT1H"),
    "expires_in as a boolean": seconds(True),
    "expires_in as a list": seconds([60]),
    "expires_in as an object": seconds({"seconds": 60}),
    "expires_in NaN": case(raw(b'{"access_token":"abc","expires_in":NaN}'), Granted()),
    "expires_in Infinity": case(raw(b'{"access_token":"abc","expires_in":Infinity}'), Granted()),
    "a default life of the API's own": case(said(), Granted(900), default_life=900.0),
    "expires (Facebook, once)": case(said(expires=5000), Granted(5000), expires_path="expires"),
    "milliseconds": milliseconds(3_599_000, 3599),
    "milliseconds as a text": milliseconds("60000", 60),
    "milliseconds of null": milliseconds(None, 3600),
    "epoch (Strava)": epoch(at(21_600), 21_600),
    "epoch as a text (Azure IMDS)": epoch(str(int(at(86_399))), 86_399),
    "epoch in milliseconds (Node)": epoch(at(60) * 1000, 60),
    "epoch in milliseconds, as a text": epoch(f"{at(60) * 1000:.0f}", 60),
    "epoch that is past": epoch(at(-1)),
    "epoch that is zero, for never": epoch(0),
    "epoch that is seconds after all": epoch(60),
    "epoch by a clock ahead of ours": ten_minutes_ahead(at(660), "epoch"),
    "an ISO date": date("2027-01-15T09:00:01Z", 3601),
    "an ISO date with an offset and a fraction (Java)": date(
        "2027-01-15T10:30:00.500+0200", 1800.5
    ),
    "an ISO date without a zone, in UTC (.NET)": date("2027-01-15T08:01:00", 60),
    "an ISO date with nanoseconds (Go)": date("2027-01-15T08:01:00.250000000Z", 60.25),
    "an ISO date with a space in it (SQL)": date("2027-01-15 08:01:00", 60),
    "an HTTP date (.expires of OWIN)": date("Fri, 15 Jan 2027 08:30:00 GMT", 1800),
    "a date that is zero, for never (Go)": date("0001-01-01T00:00:00Z"),
    "a date that is far off, for never": date("9999-12-31T23:59:59Z"),
    "a date that is garbage": date("tomorrow"),
    "a date that is a number": date(60),
    "a date by a clock ahead of ours": ten_minutes_ahead("2027-01-15T08:11:00Z", "datetime"),
    "a life in an object in a list": case(
        said(tokens=[{"ttl": 60}]), Granted(60), expires_path="tokens.0.ttl"
    ),
    "a life under a path that is not there": case(
        said(expires_in=60), Granted(), expires_path="meta.ttl"
    ),
}
