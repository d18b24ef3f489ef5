"""Calls to other people's APIs, with tokens that are obtained, shared, renewed and replayed.

from apiclient_app import clients

clients["alias"].get("path").json()
"""

from .call import Call
from .client import Client
from .exceptions import (
    APIClientError,
    BadRequest,
    BodyNotReplayable,
    CallError,
    ClientError,
    Conflict,
    Forbidden,
    ForeignOrigin,
    InvalidConfiguration,
    InvalidRequest,
    NotFound,
    RateLimited,
    RequestTimeout,
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

__version__ = "0.1.0"

__all__ = [
    "APIClientError",
    "BadRequest",
    "BodyNotReplayable",
    "Call",
    "CallError",
    "Client",
    "ClientError",
    "Conflict",
    "Forbidden",
    "ForeignOrigin",
    "InvalidConfiguration",
    "InvalidRequest",
    "NotFound",
    "RateLimited",
    "RequestTimeout",
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
