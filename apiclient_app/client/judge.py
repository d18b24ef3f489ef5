"""What one client says of a response, of a grant, and of texts that may hold its secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import requests

from apiclient_app.auth import AuthBackend
from apiclient_app.conf import ClientConfig
from apiclient_app.engines.faults import status_error
from apiclient_app.memory import Memory
from apiclient_app.secret import redact
from apiclient_app.store.seal import Seal

EXPIRED = "_apiclient_expired"  # what the EXPIRED rule said, kept on a response it matched


@dataclass(frozen=True, slots=True)
class Judge:
    """Apart from the client, which would otherwise be in a cycle with its own flows: one that is
    dropped, of some subject among many, goes at once."""

    config: ClientConfig
    auth: AuthBackend
    memory: Memory
    seal: Seal

    def secrets(self) -> list[str]:
        token = self.memory.token
        own = () if self.auth is self.config.auth else self.auth.secrets()
        return [*self.config.secrets(), *own, *(token.revealed() if token else ())]

    def redact(self, text: str, more: Iterable[str] = ()) -> str:
        return redact(text, [*self.secrets(), *more])

    def expired(self, response: requests.Response) -> bool:
        verdict = self.config.expired(response)
        if verdict:
            setattr(response, EXPIRED, True)
        return verdict

    def works(self, response: requests.Response) -> bool:
        return response.status_code < 400 and not self.expired(response)

    def refusal(self, response: requests.Response) -> Exception:
        return status_error(response, self.config.alias, self.secrets(), expired=True)

    def mark(self, grant: Any) -> str:
        return self.seal.mark({name: s.reveal() for name, s in grant.headers.items()})
