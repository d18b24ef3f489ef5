"""What the pages ask the table of refresh tokens: never for a refresh token."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

from django.db import DatabaseError, connections, router, transaction
from django.db.models import Count, QuerySet

from apiclient_app.models import IN_NEED, OF_SUBJECTS, STATE, Credential

SECRET = ("refresh_token", "seeds")


def credentials() -> QuerySet[Credential]:
    """Give all rows with their `state`."""
    return _rows().defer(*SECRET).annotate(state=STATE)


def of_state(rows: Any, state: str) -> QuerySet[Credential]:
    """Give those of `credentials` that are in a state."""
    return rows.filter(state=state)  # type: ignore[no-any-return]


def state_of(credential: Any) -> str:
    """Give the `state` of one that `credentials` gave."""
    return str(credential.state)


def credential_of(identity: str) -> Credential | None:
    """Give the row of one grant and subject; None also where the table cannot be read."""
    with suppress(DatabaseError), _unharmed():
        return credentials().filter(identity=identity).first()
    return None


def subjects_in_need() -> dict[str, int]:
    """Give alias to how many of its subjects need attention: one query for all clients."""
    with suppress(DatabaseError), _unharmed():
        rows = _rows().filter(OF_SUBJECTS, IN_NEED).values_list("alias")
        return dict(rows.annotate(Count("pk")).order_by())
    return {}


def count_subjects(alias: str) -> tuple[int, int]:
    """Give how many subjects of a client have a row, and how many of them need attention."""
    with suppress(DatabaseError), _unharmed():
        rows = _rows().filter(OF_SUBJECTS, alias=alias)
        found = rows.aggregate(all=Count("pk"), in_need=Count("pk", filter=IN_NEED))
        return found["all"], found["in_need"]
    return 0, 0


def _rows() -> QuerySet[Credential]:
    # As their writers see them: no replica lags behind.
    return Credential.objects.using(router.db_for_write(Credential))


def _unharmed() -> AbstractContextManager[Any]:
    """Keep the transaction of the request, if there is one, from ending with a failed query."""
    using = router.db_for_write(Credential)
    atomic = connections[using].in_atomic_block
    return transaction.atomic(using=using) if atomic else nullcontext()
