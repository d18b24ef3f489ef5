"""The provider does what the tests that lean on it believe."""

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.servers import Handle, Reply

GRANT = {"grant_type": "client_credentials"}
APP = ("app", "s3cr3t")


def obtain(api: Handle, **more: Any) -> dict[str, Any]:
    return dict(requests.post(api.token_url, data=GRANT, auth=APP, timeout=5, **more).json())


def call(api: Handle, path: str, token: str, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return requests.get(api.base_url + path, headers=headers, timeout=5, **more)


def test_a_token_opens_the_api(api: Handle) -> None:
    assert call(api, "echo", "guessed").status_code == 401
    token = obtain(api)["access_token"]

    reply = call(api, "echo", token, params={"a": "1"}, data=b"body")

    assert reply.json()["query"] == {"a": "1"}
    assert reply.json()["size"] == 4
    assert api.count(401) == 1
    assert api.count(200) == 1
    assert api.requests[-1]["headers"]["authorization"] == f"Bearer {token}"


def test_a_key_opens_the_api(api: Handle) -> None:
    api.set(accept=["key"])
    url = f"{api.base_url}echo"
    assert requests.get(url, headers={"X-API-Key": "key"}, timeout=5).status_code == 200
    assert requests.get(url, headers={"X-API-Key": "other"}, timeout=5).status_code == 401


def test_forbidden_stays_forbidden(api: Handle) -> None:
    assert call(api, "forbidden", obtain(api)["access_token"]).status_code == 401


def test_wrong_credentials_get_no_token(api: Handle) -> None:
    reply = requests.post(api.token_url, data=GRANT, auth=("app", "wrong"), timeout=5)
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


def test_an_older_secret_can_be_good_beside_the_new_one(api: Handle) -> None:
    api.set(credentials={"app": "new"}, older={"app": "old"})
    for secret, status in (("new", 200), ("old", 200), ("s3cr3t", 401)):
        reply = requests.post(api.token_url, data=GRANT, auth=("app", secret), timeout=5)
        assert reply.status_code == status


def test_client_authentication_is_told(api: Handle) -> None:
    obtain(api)
    posted = {**GRANT, "client_id": "app", "client_secret": "s3cr3t"}
    assert "access_token" in requests.post(api.token_url, data=posted, timeout=5).json()
    told = [request["client_auth"] for request in api.token_requests]
    assert told == ["client_secret_basic", "client_secret_post"]


def test_told_life_and_real_life_are_separate(api: Handle) -> None:
    api.set(expires_in="3600.0", life=0.1)
    granted = obtain(api)
    assert granted["expires_in"] == "3600.0"
    assert call(api, "echo", granted["access_token"]).status_code == 200
    time.sleep(0.15)
    assert call(api, "echo", granted["access_token"]).status_code == 401


def test_a_new_token_can_end_the_older_ones(api: Handle) -> None:
    api.set(revoke_older=True)
    first, second = obtain(api)["access_token"], obtain(api)["access_token"]
    assert call(api, "echo", first).status_code == 401
    assert call(api, "echo", second).status_code == 200


def test_tokens_end_by_order_and_by_revocation(api: Handle) -> None:
    token = obtain(api)["access_token"]
    requests.post(f"{api.origin}/revoke", data={"token": token}, auth=APP, timeout=5)
    assert call(api, "echo", token).status_code == 401
    token = obtain(api)["access_token"]
    api.expire_all()
    assert call(api, "echo", token).status_code == 401
    assert len(api.seen()["revocations"]) == 1


def test_simultaneous_token_requests_are_counted(api: Handle) -> None:
    api.set(token_delay=0.2)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: obtain(api), range(3)))
    assert api.seen()["most_at_once"] == 3
    obtain(api)
    assert len(api.token_requests) == 4
    assert api.seen()["most_at_once"] == 3


def test_a_script_comes_first_and_ends(api: Handle) -> None:
    api.script("/token", Reply(503), Reply(body='\ufeff{"access_token": "{token}"}'))
    assert requests.post(api.token_url, data=GRANT, auth=APP, timeout=5).status_code == 503
    odd = requests.post(api.token_url, data=GRANT, auth=APP, timeout=5)
    assert odd.content.startswith(b"\xef\xbb\xbf")
    token = json.loads(odd.content.decode("utf-8-sig"))["access_token"]
    assert call(api, "echo", token).status_code == 200
    assert "expires_in" in obtain(api)


def test_a_login_reply_has_any_shape(api: Handle) -> None:
    api.set(login_reply={"auth": [{"key": "{token}"}]})
    reply = requests.post(f"{api.origin}/login", json={"user": "u"}, timeout=5).json()
    assert call(api, "echo", reply["auth"][0]["key"]).status_code == 200
    assert api.token_requests[0]["fields"] == {"user": "u"}


def refreshed(api: Handle, refresh_token: str) -> dict[str, Any]:
    asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return dict(requests.post(api.token_url, data=asked, auth=APP, timeout=5).json())


def test_a_refresh_token_is_used_once_and_again_for_as_long_as_it_is_grace(api: Handle) -> None:
    first = api.consent("ann")
    granted = refreshed(api, first)
    assert call(api, "whose", granted["access_token"]).json() == {"subject": "ann"}
    assert refreshed(api, first)["refresh_token"] == granted["refresh_token"]
    assert api.lost == []
    api.set(grace=-1)
    assert refreshed(api, first) == {"error": "invalid_grant"}
    assert refreshed(api, granted["refresh_token"]) == {"error": "invalid_grant"}
    assert api.lost == ["ann"]
    assert {first, granted["access_token"], granted["refresh_token"]} < set(api.issued)
    assert {request["subject"] for request in api.token_requests} == {"ann"}


def test_a_token_for_somebody_names_him(api: Handle) -> None:
    asked = {**GRANT, "login_hint": "bob"}
    token = requests.post(api.token_url, data=asked, auth=APP, timeout=5).json()["access_token"]
    assert call(api, "whose", token).json() == {"subject": "bob"}


def test_now_and_then_the_api_answers_oddly(api: Handle) -> None:
    token = obtain(api)["access_token"]
    api.set(odd={"every": 3, "reply": asdict(Reply(401))})
    assert [call(api, "echo", token).status_code for _ in range(6)] == [200, 200, 401] * 2


def test_what_was_for_always_can_be_taken_back(api: Handle) -> None:
    api.always("/token", Reply(503))
    api.usual("/token")
    assert "access_token" in obtain(api)


def test_a_dated_reply_says_what_time_it_is(api: Handle) -> None:
    assert "Date" not in call(api, "echo", "").headers
    api.set(dated=True)
    said = parsedate_to_datetime(call(api, "echo", "").headers["Date"]).timestamp()
    assert abs(said - time.time()) < 3


def test_a_torn_connection_is_reset(api: Handle) -> None:
    token = obtain(api)["access_token"]
    api.always("/api/echo", Reply(body="x" * 1000, style="reset"))
    with pytest.raises(requests.exceptions.RequestException, match="reset"):
        call(api, "echo", token)


def test_a_granted_token_can_get_lost_on_its_way(api: Handle) -> None:
    api.set(token_style="cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        obtain(api)
    assert len(api.issued) == 1


def test_a_cut_reply_breaks_off(api: Handle) -> None:
    api.always("/token", Reply(body='{"access_token": "0123456789"}', style="cut"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        obtain(api)


@pytest.mark.parametrize("style", ["hang", "drip"])
def test_a_slow_reply_outlasts_patience(api: Handle, style: Any) -> None:
    api.always("/api/echo", Reply(body="0123456789", style=style))
    with pytest.raises(requests.exceptions.RequestException, match="timed out"):
        requests.get(f"{api.base_url}echo", timeout=0.2)
    assert api.count(200, "/api/echo") <= 1


def test_a_bomb_is_small_until_it_is_opened(api: Handle) -> None:
    api.always("/token", Reply(style="bomb", megabytes=2))
    reply = requests.post(api.token_url, data=GRANT, timeout=5, stream=True)
    packed = reply.raw.read(decode_content=False)
    assert len(packed) < 50_000
    assert len(gzip.decompress(packed)) == 2 << 20


def test_status_redirect_and_size_are_as_ordered(api: Handle, other_api: Handle) -> None:
    token = obtain(api)["access_token"]
    assert call(api, "status/418", token).status_code == 418
    assert len(call(api, "big?mb=2", token).content) == 2 << 20
    assert call(api, "slow?ms=50", token).elapsed.total_seconds() >= 0.05
    ordered = {"to": f"{other_api.base_url}echo", "status": "307"}
    landed = call(api, "redirect", token, params=ordered)
    assert landed.history[0].status_code == 307
    assert "authorization" not in other_api.requests[-1]["headers"]


def test_a_chunked_upload_is_read_to_its_end(api: Handle) -> None:
    api.set(open=True)
    with requests.Session() as session:
        pieces = (bytes(1000) for _ in range(3))
        assert session.post(f"{api.base_url}upload", data=pieces, timeout=5).json()["size"] == 3000
        assert session.head(f"{api.base_url}echo", timeout=5).content == b""
        assert session.get(f"{api.base_url}echo", timeout=5).status_code == 200
