"""What people see of a backend's options, and what not."""

from typing import Any

import pytest

from apiclient_app.auth import RefreshToken
from apiclient_app.auth.options import build
from apiclient_app.conf.masking import masked_option

NEXT = {"client_id": "b", "client_secret": "hunter2"}
OPTIONS = {
    "token_url": "t",
    "client_id": "c",
    "client_secret": "s",
    "next": {"client_secret": "hunter2"},
}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("refresh_token", "hunter2", "***"),
        ("refresh_token", None, ""),
        ("refresh_token_path", "data.rt", "data.rt"),
        ("client_secret", "hunter2", "***"),
        ("private_key", "hunter2", "***"),
        ("key_id", "key-7", "key-7"),
        ("client_auth", "none", "none"),
        ("assertion_audience", "https://id.example/", "https://id.example/"),
        ("token_url", "https://id.example/token?key=hunter2", "https://id.example/token?key=***"),
        ("next", NEXT, '{"client_id": "***", "client_secret": "***"}'),
        ("grace", 30, "30"),
    ],
)
def test_people_see_the_options_and_no_secret(name: str, value: Any, shown: str) -> None:
    backend, _ = build(RefreshToken, OPTIONS)
    assert backend is not None
    assert masked_option(backend, name, value) == shown
