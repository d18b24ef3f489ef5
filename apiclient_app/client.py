"""One configured API: its calls, and what can be done with its token."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from random import SystemRandom
from typing import Any, NoReturn

import requests

from . import signals
from .auth import AuthBackend
from .conf import ClientConfig
from .engines import Outgoing, Rooms, run
from .engines.faults import status_error
from .exceptions import InvalidConfiguration, InvalidRequest, RowsUnavailable, TokenError
from .flow import CallFlow
from .memory import Memory
from .orders import OrderFlow
from .paths import fill, join
from .renewal import Renewal
from .secret import Secret, redact
from .steps import Flow
from .store.seal import Seal
from .subjects import Subjects
from .tokens import Inspection, Token, TokenState, moment, new_token

EXPIRED = "_apiclient_expired"  # what the EXPIRED rule said, kept on a response it matched
_jitter = SystemRandom().random  # a fork copies the state of the other generators


class Client:
    """What `clients[alias]` gives. Safe to keep and to share between threads, and over a fork.

    Each method that calls takes the keyword arguments of `requests.request`, and
    `raise_for_status=False` to get a 4xx or 5xx as a response. All raise `APIClientError`s.
    """

    def __init__(
        self,
        config: ClientConfig,
        auth: AuthBackend,
        rooms: Rooms,
        seal: Seal,
        subjects: Subjects[Client],
        subject: str = "",
    ) -> None:
        self.config, self.auth, self.rooms, self.subject = config, auth, rooms, subject
        self._seal, self._subjects = seal, subjects
        successor = config.auth.successor
        self._renewal = Renewal(
            alias=config.alias,
            subject=subject,
            auth=auth,
            memory=rooms.memory,
            token_timeout=config.token_timeout,
            clock=time.time,
            jitter=_jitter,
            redact=self._redact,
            fingerprint=self._mark,
            successor=seal.mark(successor.identity()) if successor else "",
        )
        self._calls = CallFlow(renewal=self._renewal, expired=self._expired, refusal=self._refusal)

    def for_subject(self, subject: str) -> Client:
        """Give this client for one user or tenant: the same, with a token and a row of its own.

        `subject` is an id of the application's making, of at most 255 characters. Cheap: ask for
        the client whenever you call, and keep none. Raises InvalidRequest.
        """
        return self._subjects[subject]

    @property
    def alias(self) -> str:
        return self.config.alias

    def __repr__(self) -> str:
        whose = f" for {self.subject!r}" if self.subject else ""
        return f"<Client {self.alias!r}{whose} {self.config.base_url}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a client is never pickled; pass its alias, {self.alias!r}")

    def after_fork(self) -> None:
        """Drop what must not be shared with the parent, for all subjects."""
        subjects = self._subjects.values()
        self._subjects.reset()
        for client in (self, *subjects):
            client.memory.reset()
        self.rooms.engine.reset()

    # Calls

    def request(
        self, method: str, path: str, *, raise_for_status: bool | None = None, **kwargs: Any
    ) -> requests.Response:
        """Call `path`, which joins under BASE_URL."""
        url = join(self.config.base_url, path, self.alias)
        outgoing = self.rooms.engine.prepare(method, url, kwargs, self.auth)
        response = self._send(outgoing)
        wanted = self.config.raise_for_status if raise_for_status is None else raise_for_status
        if wanted and response.status_code >= 400:
            raise status_error(response, self.alias, self._secrets())
        if wanted and getattr(response, EXPIRED, False):  # a refusal with the status of a success
            raise self._refusal(response)
        return response

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("GET", path, **kwargs)

    def options(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("OPTIONS", path, **kwargs)

    def head(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("HEAD", path, **{"allow_redirects": False, **kwargs})

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("PUT", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> requests.Response:
        return self.request("DELETE", path, **kwargs)

    def call(self, endpoint: str, **params: Any) -> requests.Response:
        """Call an endpoint of ENDPOINTS by its name.

        Values for the placeholders of its path are percent-encoded; all others go to `request`.
        """
        try:
            method, template = self.config.endpoints[endpoint]
        except KeyError:
            known = ", ".join(self.config.endpoints) or "none"
            raise InvalidConfiguration(
                f"There is no {endpoint!r} in API_CLIENTS[{self.alias!r}]['ENDPOINTS']; "
                f"known: {known}."
            ) from None
        path, kwargs = fill(template, params, self.alias)
        if method == "HEAD":
            kwargs.setdefault("allow_redirects", False)
        return self.request(method, path, **kwargs)

    def check(self) -> requests.Response | None:
        """Test the connection: call CHECK, or obtain a token where there is none to call."""
        if self.config.check is not None:
            method, path = self.config.check
            return self.request(method, path, raise_for_status=True)
        self.token()
        return None

    # The token

    def token(self) -> Token:
        """Give the current token; obtain one if there is none."""
        if not self.auth.renewable:
            return self._static_token()
        return self._run(self._orders.current())  # type: ignore[no-any-return]

    def inspect(self) -> Inspection:
        """Tell what is known of token and grant, without asking the API."""
        known = Inspection(
            alias=self.alias,
            subject=self.subject,
            base_url=self.config.base_url,
            backend=self.config.auth_path,
            state=TokenState.STATIC,
        )
        if not self.auth.renewable:
            return known
        view = self._run(self._renewal.look())
        known = replace(known, store_available=view is not None, **self._grant())
        return replace(known, **self._held(time.time()))

    def _held(self, now: float) -> dict[str, Any]:
        """Give what an inspection says of the token and of failures."""
        token, failure = self.memory.token, self.memory.failure
        said: dict[str, Any] = {
            "state": token.state(now) if token else TokenState.ABSENT,
            "clock_offset": self.memory.offset,
            "switched": self._renewal.switched,
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

    def _grant(self) -> dict[str, Any]:
        """Give what an inspection says of the durable row, where there is one."""
        if self.rooms.rows is None:
            return {}
        try:
            row = self.rooms.rows.read()
        except RowsUnavailable as error:
            return {"grant": "unknown", "grant_note": str(error)}
        return {
            "grant": row.state.value,
            "grant_note": row.attention,
            "asking_since": moment(row.asking_since),
        }

    def rotate_token(self, *, wait: bool = False) -> Token:
        """Give a new token, published before the old one goes.

        Where the backend can revoke, the old one is revoked at the provider once no process holds
        it in memory any more (MEMORY_SECONDS): by the next token operation, or at once, and after
        that time, with `wait`. Not one that a refresh token gave: some providers revoke the grant
        with it. A recorded failure does not hold a rotation back, and success clears it.
        """
        self._refuse_static("rotate")
        return self._run(self._orders.rotate(wait))  # type: ignore[no-any-return]

    def settle(self) -> None:
        """Have the provider revoke replaced tokens that no process holds any more."""
        self._run(self._orders.settle())

    def revoke_token(self) -> None:
        """Forget the token, everywhere within MEMORY_SECONDS; revoke it at the provider.

        Clears a recorded failure too. The next call obtains a new token, but where the grant was
        a refresh token: that is revoked and forgotten with it. Raises TokenUnavailable where the
        cache, the database or the provider (`revocation_url`, RFC 7009) could not be told.
        """
        self._refuse_static("revoke")
        self._run(self._orders.revoke())

    def store_refresh_token(self, value: str | Secret[str]) -> None:
        """Keep a refresh token, the beginning of a new grant: what was held before is forgotten.

        It mends "needs attention". Raises InvalidRequest for what can be none, TokenError where
        the backend knows no refresh tokens or the database does not take it.
        """
        refresh_token = value if isinstance(value, Secret) else Secret(value)
        del value  # error reports show the locals of this frame
        if not self.auth.refreshes:
            raise TokenError(
                f"{self.alias}: its auth backend knows no refresh tokens; configure RefreshToken "
                f"in API_CLIENTS[{self.alias!r}]['AUTH'].",
                alias=self.alias,
                error="static",
            )
        if not _sendable(refresh_token.reveal()):
            raise InvalidRequest(
                f"{self.alias}: that is no refresh token: it is empty, or has control characters.",
                alias=self.alias,
            )
        self._run(self._orders.store(Secret(refresh_token.reveal().strip())))

    def switch_credentials(self) -> Token:
        """Use the next client credentials (OPTIONS["next"]) everywhere, once they are proven.

        They must obtain a token, and the API must take it for CHECK. Gives that token; what is in
        use goes on until no process holds it. Raises TokenError, and nothing was changed.
        """
        self._refuse_static("switch")
        check = None
        if self.config.check is not None:
            method, path = self.config.check
            url = join(self.config.base_url, path, self.alias)
            check = self.rooms.engine.prepare(method, url, {}, self.auth)
        return self._run(self._orders.switch(check))  # type: ignore[no-any-return]

    def _works(self, response: requests.Response) -> bool:
        return response.status_code < 400 and not self._expired(response)

    def _refuse_static(self, verb: str) -> None:
        if not self.auth.renewable:
            raise TokenError(
                f"{self.alias}: there is no token to {verb}, its credentials are those in "
                f"settings. Change API_CLIENTS[{self.alias!r}]['AUTH']['OPTIONS'].",
                alias=self.alias,
                error="static",
            )

    def _static_token(self) -> Token:
        blank = requests.Request("GET", self.config.base_url).prepare()
        self.auth.sign(blank, None)
        headers = {name: Secret(str(value)) for name, value in blank.headers.items()}
        return new_token(headers, sent_at=0, obtained_at=time.time(), life=math.inf)

    # Inside

    def _send(self, outgoing: Outgoing) -> requests.Response:
        if not signals.call_finished.receivers:
            return self._run(self._calls.call(outgoing))  # type: ignore[no-any-return]
        began, status = time.perf_counter(), None
        try:
            response: requests.Response = self._run(self._calls.call(outgoing))
            status = response.status_code
            return response
        finally:
            signals.call_finished.send_robust(
                Client,
                alias=self.alias,
                subject=self.subject,
                method=outgoing.prepared.method,
                status=status,
                seconds=time.perf_counter() - began,
            )

    def _run(self, flow: Flow) -> Any:
        return run(flow, self.rooms, Client)

    @property
    def _orders(self) -> OrderFlow:
        seconds = self.config.memory_seconds
        return OrderFlow(renewal=self._renewal, memory_seconds=seconds, works=self._works)

    @property
    def memory(self) -> Memory:
        return self.rooms.memory

    def _secrets(self) -> list[str]:
        token = self.memory.token
        own = () if self.auth is self.config.auth else self.auth.secrets()
        return [*self.config.secrets(), *own, *(token.revealed() if token else ())]

    def _redact(self, text: str) -> str:
        return redact(text, self._secrets())

    def _expired(self, response: requests.Response) -> bool:
        verdict = self.config.expired(response)
        if verdict:
            setattr(response, EXPIRED, True)
        return verdict

    def _refusal(self, response: requests.Response) -> Exception:
        return status_error(response, self.alias, self._secrets(), expired=True)

    def _mark(self, grant: Any) -> str:
        return self._seal.mark({name: s.reveal() for name, s in grant.headers.items()})


def _sendable(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip()) and text.strip().isprintable()
