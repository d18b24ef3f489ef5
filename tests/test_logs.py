"""What urllib3 logs of a call holds no key of its query."""

import logging
from typing import Any

import pytest
from pytest_django import Settings

from apiclient_app import clients, logs
from tests.servers import Handle

URLLIB3 = "urllib3.connectionpool"
KEY = "hunter2-in-a-query"


def key_client(api: Handle, field: str) -> dict[str, Any]:
    auth = {"BACKEND": "apiclient_app.auth.ApiKey", "OPTIONS": {"key": KEY, "query": field}}
    return {"BASE_URL": api.base_url, "AUTH": auth}


@pytest.mark.parametrize("field", ["api_key", "q"])
def test_a_key_in_the_query_is_masked_at_debug(
    api: Handle, settings: Settings, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    caplog.set_level(logging.DEBUG, "urllib3")
    api.set(open=True)
    settings.API_CLIENTS = {"shop": key_client(api, field)}
    clients["shop"].get("echo", params={"page": "2"})
    assert f"/api/echo?page=2&{field}=*** HTTP" in caplog.text
    assert KEY not in caplog.text
    assert api.requests[-1]["query"] == {"page": "2", field: KEY}


@pytest.mark.parametrize(
    "wrong",
    [None, [], {"a": None}, {"a": {"AUTH": "x"}}, {"a": {"AUTH": {"OPTIONS": ["query"]}}}],
    ids=repr,
)
def test_wrong_settings_do_not_break_what_others_log(
    settings: Settings, caplog: pytest.LogCaptureFixture, wrong: Any
) -> None:
    caplog.set_level(logging.DEBUG, "urllib3")
    settings.API_CLIENTS = wrong
    logging.getLogger(URLLIB3).debug("GET %s %d", "/x?token=hunter2&page=2", 200)
    assert caplog.messages == ["GET /x?token=***&page=2 200"]


def test_other_lines_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "urllib3")
    logger = logging.getLogger(URLLIB3)
    logger.debug("no arguments: 100 %")
    logger.debug("%(a)s", {"a": "by name"})
    logger.debug("%s", ValueError("/x?secret=hunter2"))
    assert caplog.messages == ["no arguments: 100 %", "by name", "/x?secret=***"]


def test_the_filter_is_installed_once() -> None:
    logs.install()
    logs.install()
    filters = logging.getLogger(URLLIB3).filters
    assert len([f for f in filters if isinstance(f, logs.QueryFilter)]) == 1
