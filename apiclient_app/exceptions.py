"""Everything this app raises.

    APIClientError
    ├── UnknownClient              also KeyError
    ├── InvalidConfiguration       also django ImproperlyConfigured
    └── CallError                  also requests.RequestException
        ├── InvalidRequest         also ValueError: it could not be built, nothing was sent
        │   └── ForeignOrigin      it would have left BASE_URL
        ├── StatusError            also requests.HTTPError
        │   ├── ClientError
        │   │   ├── BadRequest     400
        │   │   ├── Unauthorized   401
        │   │   ├── Forbidden      403
        │   │   ├── NotFound       404
        │   │   ├── Conflict       409
        │   │   └── RateLimited    429, or kept back by RATE_LIMIT: retry_after
        │   └── ServerError        500 and above
        ├── TransportError         also requests.ConnectionError
        │   ├── RequestTimeout     also requests.Timeout
        │   │   └── DeadlineExceeded  the call's whole time (deadline, DEADLINE) is over
        │   ├── ResponseTooLarge   longer than RESPONSE_LIMIT, also when decompressed
        │   └── CircuitOpen        the API has failed too often; nothing was sent: retry_after
        ├── TokenError
        │   ├── TokenRefused       the token endpoint said no: error, description
        │   └── TokenUnavailable   it could not be asked, or not yet: retry_after
        └── BodyNotReplayable      the token was renewed, the one-shot body is spent

Texts name the alias and the remedy and never a secret. All of them pickle: an unpickled one has
its text and plain attributes (`alias`, `method`, `url`, `status_code`, …) but no `response`.
"""

from __future__ import annotations

from typing import Any

import requests
from django.core.exceptions import ImproperlyConfigured


def _revive(kind: type[APIClientError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    error = kind(*args)
    error.__dict__.update(state)
    return error


class APIClientError(Exception):
    """The root: `except APIClientError` catches all this app raises."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else type(self).__name__

    def __reduce__(self) -> tuple[Any, ...]:
        # Not the default: OSError rebuilds itself from errno fields, and a response holds headers.
        plain = {
            name: value
            for name, value in self.__dict__.items()
            if isinstance(value, str | int | float | None)
        }
        return _revive, (type(self), self.args, plain)


class UnknownClient(APIClientError, KeyError):
    """The alias is not in `settings.API_CLIENTS`."""


class InvalidConfiguration(APIClientError, ImproperlyConfigured):
    """`settings.API_CLIENTS` cannot be used as it is; the text says what to change."""


class CallError(APIClientError, requests.RequestException):
    """A call came to nothing.

    `sent` is False where it is certain that the request never left this machine.
    """

    sent = True

    def __init__(
        self,
        message: str = "",
        *,
        alias: str = "",
        method: str = "",
        url: str = "",
        response: requests.Response | None = None,
    ) -> None:
        super().__init__(message, response=response)
        self.alias = alias
        self.method = method
        self.url = url


class InvalidRequest(CallError, ValueError):
    """The request could not be built; nothing was sent."""

    sent = False


class ForeignOrigin(InvalidRequest):
    """The path would have left BASE_URL; nothing was sent."""


class StatusError(CallError, requests.HTTPError):
    """The API answered with 4xx or 5xx (or, as `Unauthorized`, as its EXPIRED rule says)."""

    status_code: int | None = None


class ClientError(StatusError):
    """4xx."""


class BadRequest(ClientError):
    """400."""


class Unauthorized(ClientError):
    """401: with a token that was renewed once, or whose renewal is pointless for now."""


class Forbidden(ClientError):
    """403."""


class NotFound(ClientError):
    """404."""


class Conflict(ClientError):
    """409."""


class RateLimited(ClientError):
    """429, or a call that RATE_LIMIT or MAX_IN_FLIGHT kept back: `sent` is False then.

    `retry_after` in seconds, or None where the API did not say.
    """

    retry_after: float | None = None


class ServerError(StatusError):
    """5xx."""


class TransportError(CallError, requests.ConnectionError):
    """No whole answer arrived: DNS, connection, TLS, broken body, too many redirects."""


class RequestTimeout(TransportError, requests.Timeout):
    """No answer within TIMEOUT."""


class DeadlineExceeded(RequestTimeout):
    """The time for the whole call is over: `deadline=`, or DEADLINE."""


class ResponseTooLarge(TransportError):
    """The body is longer than RESPONSE_LIMIT, or would be when decompressed; it was cut off."""


class CircuitOpen(TransportError):
    """The API failed too often (BREAKER), or somebody took it off; nothing was sent.

    `retry_after` in seconds; None where it is closed by hand only.
    """

    sent = False
    retry_after: float | None = None


class TokenError(CallError):
    """No token, so no call: nothing was sent to the API with missing credentials.

    `error` is a short code: of OAuth (RFC 6749 section 5.2), "http_<status>", or our own.
    """

    def __init__(self, message: str = "", *, error: str = "", **kwargs: Any) -> None:
        super().__init__(message, **kwargs)
        self.error = error


class TokenRefused(TokenError):
    """The token endpoint said no; asking again changes nothing until the cause is mended."""

    def __init__(
        self, error: str = "", description: str = "", *, message: str = "", **kwargs: Any
    ) -> None:
        text = message or ": ".join(filter(None, (error, description)))
        super().__init__(text, error=error, **kwargs)
        self.description = description


class TokenUnavailable(TokenError):
    """The token endpoint did not give one; `retry_after` is when to try again, in seconds."""

    def __init__(
        self, message: str = "", *, retry_after: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(message, **kwargs)
        self.retry_after = retry_after


class BodyNotReplayable(CallError):
    """The API refused the token and the body (an iterator, a pipe) cannot be sent twice.

    The token is renewed for the next call; its `__cause__` is the `Unauthorized`.
    """


STATUS_ERRORS: dict[int, type[StatusError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def status_error_class(status: int) -> type[StatusError]:
    """Give the class for a status of 400 and above."""
    return STATUS_ERRORS.get(status) or (ClientError if status < 500 else ServerError)


class StoreUnavailable(Exception):
    """The store did not answer. Internal: the flow carries on with what the process knows."""


class RowsUnavailable(Exception):
    """The database did not do as asked; the text says why, without a secret. Internal."""
