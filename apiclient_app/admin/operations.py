"""What people may do to a client: each operation asks, acts, and says how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apiclient_app.client import Client
from apiclient_app.models import ApiClient
from apiclient_app.tokens import TokenState

# A text and what goes into it: put together once for the person, once for the history.
Outcome = tuple[Promise, dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """An order that a person gives on a confirmation page.

    `name` is the end of its URL and the start of its permission's codename. `perform` raises
    APIClientError, whose text then goes into `failed`.
    """

    name: str
    label: Promise
    explain: Callable[[Client], str]
    perform: Callable[[Client], Outcome]
    failed: Promise
    for_static: bool = False  # whether it makes sense where no token is ever obtained
    destructive: bool = False

    @property
    def permission(self) -> str:
        return f"apiclient_app.{self.name}_apiclient"

    def suits(self, row: ApiClient) -> bool:
        """Whether it can be done to this client at all."""
        if row.inspection is None:
            return False
        return self.for_static or row.inspection.state != TokenState.STATIC


def explain_rotation(_client: Client) -> str:
    return _(
        "A new token is obtained now and used from then on. Calls under way finish with the old "
        "one; where a revocation URL is configured, it is revoked there a little later."
    )


def rotate(client: Client) -> Outcome:
    token = client.rotate_token()
    text = gettext_lazy("Rotated the token: the new one has the fingerprint %(fingerprint)s.")
    return text, {"fingerprint": token.fingerprint}


def explain_revocation(client: Client) -> str:
    text = _(
        "Every server process forgets the token within %(seconds)g seconds; where a revocation "
        "URL is configured, it is revoked there too. The next call obtains a new one."
    )
    return text % {"seconds": client.config.memory_seconds}


def revoke(client: Client) -> Outcome:
    client.revoke_token()
    return gettext_lazy("Revoked the token."), {}


def explain_check(client: Client) -> str:
    if not client.config.check:
        return _(
            "The current token is used, or one is obtained. No call is sent to the API, because "
            "this client has no CHECK in its settings."
        )
    text = _("“%(check)s” is called at %(base_url)s with the credentials of this client.")
    return text % {"check": client.config.masked()["CHECK"], "base_url": client.config.base_url}


def check(client: Client) -> Outcome:
    """Test the connection. It sends a call with the client's credentials, which may cost money or
    count against a quota: being allowed to look on is not enough for it."""
    response = client.check()
    if response is None:
        return gettext_lazy("Tested the connection: there is a usable token."), {}
    text = gettext_lazy("Tested the connection: the API answered %(status)d in %(ms)d ms.")
    return text, {
        "status": response.status_code,
        "ms": round(response.elapsed.total_seconds() * 1000),
    }


OPERATIONS = (
    Operation(
        name="check",
        label=gettext_lazy("Test connection"),
        explain=explain_check,
        perform=check,
        failed=gettext_lazy("Testing the connection failed: %(error)s"),
        for_static=True,
    ),
    Operation(
        name="rotate",
        label=gettext_lazy("Rotate token"),
        explain=explain_rotation,
        perform=rotate,
        failed=gettext_lazy("Rotating the token failed: %(error)s"),
    ),
    Operation(
        name="revoke",
        label=gettext_lazy("Revoke token"),
        explain=explain_revocation,
        perform=revoke,
        failed=gettext_lazy("Revoking the token failed: %(error)s"),
        destructive=True,
    ),
)
