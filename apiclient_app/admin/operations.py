"""What people may do to a client or a subject: each operation asks, acts, says how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apiclient_app.client import Client
from apiclient_app.secret import Secret
from apiclient_app.tokens import Inspection

from . import explanations

# A text and what goes into it: put together once for the person, once for the history.
Outcome = tuple[Promise, dict[str, Any]]


def renewable(client: Client, _known: Inspection) -> bool:
    return client.auth.renewable


class RefreshTokenForm(forms.Form):
    """Asks for a refresh token, and never shows it."""

    refresh_token = forms.CharField(
        label=gettext_lazy("Refresh token"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )

    def clean_refresh_token(self) -> Secret[str]:
        return Secret(self.cleaned_data["refresh_token"])


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An order that a person gives on a confirmation page.

    `name` is the end of its URL, and `needs` names its permission. `perform` takes what `form`
    asked for; it raises APIClientError, whose text then goes into `failed`. `suits` tells whether
    it can be done to this client at all.
    """

    name: str
    needs: str
    label: Promise
    explain: Callable[[Client, Inspection], str]
    perform: Callable[..., Outcome]
    failed: Promise
    suits: Callable[[Client, Inspection], bool] = renewable
    form: type[forms.Form] = forms.Form
    destructive: bool = False

    @property
    def permission(self) -> str:
        return f"apiclient_app.{self.needs}_apiclient"


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


def rotate(client: Client) -> Outcome:
    token = client.rotate_token()
    text = gettext_lazy("Rotated the token: the new one has the fingerprint %(fingerprint)s.")
    return text, {"fingerprint": token.fingerprint}


def store(client: Client, refresh_token: Secret[str]) -> Outcome:
    client.store_refresh_token(refresh_token.reveal())
    return gettext_lazy("Stored a refresh token; the next call uses it."), {}


def switch(client: Client) -> Outcome:
    token = client.switch_credentials()
    text = gettext_lazy(
        "Switched to the next credentials: their token has the fingerprint %(fingerprint)s."
    )
    return text, {"fingerprint": token.fingerprint}


def open_circuit(client: Client) -> Outcome:
    client.open_circuit()
    return gettext_lazy("Opened the circuit: no call is sent until it is closed."), {}


def close_circuit(client: Client) -> Outcome:
    client.close_circuit()
    return gettext_lazy("Closed the circuit: calls are sent again."), {}


def revoke(client: Client) -> Outcome:
    client.revoke_token()
    return gettext_lazy("Revoked the token."), {}


OPERATIONS = (
    Operation(
        name="check",
        needs="check",
        label=gettext_lazy("Test connection"),
        explain=explanations.of_check,
        perform=check,
        failed=gettext_lazy("Testing the connection failed: %(error)s"),
        suits=lambda _client, _known: True,
    ),
    Operation(
        name="rotate",
        needs="rotate",
        label=gettext_lazy("Rotate token"),
        explain=explanations.of_rotation,
        perform=rotate,
        failed=gettext_lazy("Rotating the token failed: %(error)s"),
    ),
    Operation(
        name="store",
        needs="rotate",
        label=gettext_lazy("Store refresh token"),
        explain=explanations.of_storing,
        perform=store,
        failed=gettext_lazy("Storing the refresh token failed: %(error)s"),
        suits=lambda client, _known: client.auth.refreshes,
        form=RefreshTokenForm,
    ),
    Operation(
        name="switch",
        needs="rotate",
        label=gettext_lazy("Switch to next credentials"),
        explain=explanations.of_switch,
        perform=switch,
        failed=gettext_lazy("Switching to the next credentials failed: %(error)s"),
        suits=lambda client, known: client.auth.successor is not None and not known.switched,
    ),
    Operation(
        name="close",
        needs="rotate",
        label=gettext_lazy("Close circuit"),
        explain=explanations.of_closing,
        perform=close_circuit,
        failed=gettext_lazy("Closing the circuit failed: %(error)s"),
        suits=lambda _client, known: known.circuit_opened_at is not None,
    ),
    Operation(
        name="open",
        needs="revoke",
        label=gettext_lazy("Open circuit"),
        explain=explanations.of_opening,
        perform=open_circuit,
        failed=gettext_lazy("Opening the circuit failed: %(error)s"),
        suits=lambda _client, known: bool(known.circuit) and known.circuit != "open by hand",
        destructive=True,
    ),
    Operation(
        name="revoke",
        needs="revoke",
        label=gettext_lazy("Revoke token"),
        explain=explanations.of_revocation,
        perform=revoke,
        failed=gettext_lazy("Revoking the token failed: %(error)s"),
        destructive=True,
    ),
)
