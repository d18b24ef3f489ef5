"""Calls to other people's APIs, with tokens that are obtained, shared, renewed and replayed.

from apiclient_app import clients

clients["alias"].get("path").json()
"""

from typing import TYPE_CHECKING, Any

from .call import Call
from .exceptions import (
    APIClientError,
    BadRequest,
    BodyNotReplayable,
    CallError,
    CircuitOpen,
    ClientError,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    ForeignOrigin,
    InvalidConfiguration,
    InvalidRequest,
    NotFound,
    RateLimited,
    RequestTimeout,
    ResponseTooLarge,
    ServerError,
    StatusError,
    TokenError,
    TokenRefused,
    TokenUnavailable,
    TransportError,
    Unauthorized,
    UnknownClient,
)
from .handler import clients

if TYPE_CHECKING:
    from .client import Client

__version__ = "0.1.0"

__all__ = [
    "APIClientError",
    "BadRequest",
    "BodyNotReplayable",
    "Call",
    "CallError",
    "CircuitOpen",
    "Client",
    "ClientError",
    "Conflict",
    "DeadlineExceeded",
    "Forbidden",
    "ForeignOrigin",
    "InvalidConfiguration",
    "InvalidRequest",
    "NotFound",
    "RateLimited",
    "RequestTimeout",
    "ResponseTooLarge",
    "ServerError",
    "StatusError",
    "TokenError",
    "TokenRefused",
    "TokenUnavailable",
    "TransportError",
    "Unauthorized",
    "UnknownClient",
    "clients",
]


def __getattr__(name: str) -> Any:
    """Import `Client` when it is asked for: what it needs takes longer than all the rest."""
    if name == "Client":
        from .client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
