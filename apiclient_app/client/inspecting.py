"""What an inspection says of a token, of failures, and of the durable row behind them."""

from __future__ import annotations

from typing import Any

from apiclient_app.exceptions import RowsUnavailable
from apiclient_app.memory import Memory
from apiclient_app.store.rows import Rows
from apiclient_app.tokens import TokenState, moment


def held(memory: Memory, now: float) -> dict[str, Any]:
    """Give fields of an Inspection from what this process knows by `now`."""
    token, failure = memory.token, memory.failure
    said: dict[str, Any] = {
        "state": token.state(now) if token else TokenState.ABSENT,
        "clock_offset": memory.offset,
    }
    if token:
        said |= {
            "fingerprint": token.fingerprint,
            "scope": token.scope,
            "obtained_at": moment(token.obtained_at),
            "renew_at": moment(token.renew_at),
            "expires_at": moment(token.expires_at),
            "expires_in": token.expires_at - now,
        }
    if failure:
        said |= {
            "last_error": f"{failure.error}: {failure.description}".rstrip(": "),
            "failed_at": moment(failure.at),
            "retry_at": moment(failure.until),
        }
    return said


def kept(rows: Rows | None) -> dict[str, Any]:
    """Give fields of an Inspection from the durable row, where there is one."""
    if rows is None:
        return {}
    try:
        row = rows.read()
    except RowsUnavailable as error:
        return {"grant": "unknown", "grant_note": str(error)}
    return {
        "grant": row.state.value,
        "grant_note": row.attention,
        "asking_since": moment(row.asking_since),
    }
