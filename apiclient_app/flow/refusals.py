"""What callers are told of a grant that cannot be asked with. Nothing was sent."""

from __future__ import annotations

from apiclient_app.exceptions import RowsUnavailable, TokenError, TokenRefused, TokenUnavailable
from apiclient_app.records import NEEDS_ATTENTION, NO_REFRESH_TOKEN
from apiclient_app.rows import Row


def stopped(row: Row) -> TokenError:
    """Make the error for a row whose refresh token is not to be sent."""
    if row.unreadable:
        text = (
            "no key opens the stored refresh token; put the SECRET_KEY it was stored with into "
            "SECRET_KEY_FALLBACKS"
        )
        return _unsent(TokenUnavailable(text, error="unreadable_row"))
    if row.refresh_token is None:
        return _unsent(TokenRefused(NO_REFRESH_TOKEN, "there is no refresh token"))
    text = "its refresh token was sent, and again later, and no answer came back"
    if row.refused:
        said = row.attention.partition(": ")[2]
        text = f"the provider refused its refresh token ({said})"
    return _unsent(TokenRefused(NEEDS_ATTENTION, text))


def unavailable(error: RowsUnavailable) -> TokenError:
    """Make the error for a database that does not give the row."""
    return _unsent(TokenUnavailable(str(error), error="database_unavailable"))


def _unsent(error: TokenError) -> TokenError:
    error.sent = False
    return error
