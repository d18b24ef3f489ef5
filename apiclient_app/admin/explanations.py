"""What a confirmation page says of an operation, before a person gives the order."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.translation import gettext as _

from apiclient_app.client import Client
from apiclient_app.rows import RowState
from apiclient_app.tokens import Inspection


def of_check(client: Client, _known: Inspection) -> str:
    if not client.config.check:
        return _(
            "The current token is used, or one is obtained. No call is sent to the API, because "
            "this client has no CHECK in its settings."
        )
    text = _("“%(check)s” is called at %(base_url)s with the credentials of this client.")
    return text % _call(client)


def of_rotation(client: Client, known: Inspection) -> str:
    text = _(
        "A new token is obtained now and used from then on. Calls under way finish with the old "
        "one; where a revocation URL is configured, it is revoked there a little later."
    )
    if known.grant == RowState.ATTENTION and not client.auth.obtains:
        return _(
            "The old refresh token is tried once more. If the provider refuses it again, "
            "authorise anew, and store the new refresh token."
        )
    if known.grant == RowState.IN_DOUBT:
        return _(
            "The refresh token was sent, and no answer came: it is sent once more. A provider "
            "that takes this for theft may end the grant; then authorise anew, and store the new "
            "refresh token."
        )
    if client.auth.refreshes:
        return _(
            "A new token is obtained now and used from then on. Calls under way finish with the "
            "old one."
        )
    return text


def of_storing(_client: Client, known: Inspection) -> str:
    text = _(
        "What you store begins a new grant: the refresh token and the access token that are held "
        "now are forgotten everywhere. It is kept encrypted, and never shown."
    )
    if known.grant != RowState.HELD:
        return text
    return f"{_('There is a refresh token, and it works as far as is known.')} {text}"


def of_switch(client: Client, _known: Inspection) -> str:
    if not client.auth.obtains:
        text = _("A token is requested with the next credentials and the refresh token.")
    elif client.config.check:
        text = _(
            "A token is requested with the next credentials, and “%(check)s” is called with it "
            "at %(base_url)s."
        )
        text = text % _call(client)
    else:
        text = _("A token is requested with the next credentials.")
    then = _(
        "If that succeeds, every server process uses them from then on; the old ones go on until "
        "no process holds their token, %(seconds)g seconds at most. If it fails, nothing changes."
    )
    return f"{text} {then % {'seconds': client.config.memory_seconds}}"


def of_revocation(client: Client, _known: Inspection) -> str:
    text = _(
        "Every server process forgets the token within %(seconds)g seconds; where a revocation "
        "URL is configured, it is revoked there too."
    ) % {"seconds": client.config.memory_seconds}
    if client.auth.refreshes and not client.auth.obtains:
        return format_html("{} <strong>{}</strong>", text, _end_of_grant())
    return f"{text} {_afterwards(client)}"


def _end_of_grant() -> str:
    return _(
        "So is the refresh token: the grant ends. No call succeeds until a person authorises anew "
        "and stores a new refresh token."
    )


def _afterwards(client: Client) -> str:
    if client.auth.refreshes:
        return _("So is the refresh token. The next call obtains new ones with its credentials.")
    return _("The next call obtains a new one.")


def _call(client: Client) -> dict[str, str]:
    return {"check": client.config.masked()["CHECK"], "base_url": client.config.base_url}


def of_closing(_client: Client, known: Inspection) -> str:
    if known.circuit_until is None:
        return _("Somebody opened it by hand. Calls are sent again, from all workers.")
    return _(
        "Calls are sent again, from all workers. If the API still fails, the circuit opens again "
        "by itself."
    )


def of_opening(client: Client, _known: Inspection) -> str:
    text = _(
        "From now on every call of “%(alias)s”, of all its subjects, fails at once, and nothing "
        "is sent, until somebody closes the circuit. Tokens stay as they are."
    )
    return text % {"alias": client.alias}
