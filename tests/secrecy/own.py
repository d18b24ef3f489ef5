"""Auth backends as users write them, with faults and with secrets of each subject."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from apiclient_app.auth import ClientCredentials, Grant, RefreshToken, Reply, Secret, TokenRequest

from .canaries import Canaries


class Fault(Exception):
    """None of those that an auth backend is known to raise."""


@dataclass(frozen=True, kw_only=True, repr=False)
class FailsToAsk(RefreshToken):
    def refresh_request(self, refresh_token: Secret[str]) -> TokenRequest:
        raise Fault


@dataclass(frozen=True, kw_only=True, repr=False)
class FailsToRead(RefreshToken):
    def read(self, reply: Reply) -> Grant:
        raise Fault


@dataclass(frozen=True, kw_only=True, repr=False)
class QuotesWhatItReads(RefreshToken):
    def read(self, reply: Reply) -> Grant:
        raise LookupError(reply.body)


@dataclass(frozen=True, kw_only=True, repr=False)
class OfEach(ClientCredentials):
    """Each subject has a client secret of its own, that no setting holds."""

    canaries: ClassVar[Canaries]

    def for_subject(self, subject: str) -> Self:
        return self.altered(client_secret=Secret(self.canaries.hatch("subject's secret")))


def backend(kind: type, settings: dict[str, Any]) -> dict[str, Any]:
    """Have these settings name a backend of this module."""
    return {"AUTH": {**settings["AUTH"], "BACKEND": f"{kind.__module__}.{kind.__name__}"}}
