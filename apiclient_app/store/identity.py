"""Under which keys the records of one client or subject are kept."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose token it is. `fingerprint` marks all that determines the token, secrets included."""

    alias: str
    subject: str
    fingerprint: str

    def key(self, kind: str) -> str:
        # At most 250 characters and no space, for memcached; the fingerprint covers the alias.
        alias = quote(self.alias, safe="")[:80]
        return f"apiclient:{FORMAT}:{alias}:{self.subject}:{self.fingerprint}:{kind}"
