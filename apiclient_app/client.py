"""One configured API: its calls, and what can be done with its token."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from random import SystemRandom
from typing import Any, NoReturn

import requests

from . import signals
from .conf import ClientConfig
from .engines import Outgoing, RequestsEngine, run
from .engines.faults import status_error
from .exceptions import InvalidConfiguration, TokenError
from .flow import CallFlow, OrderFlow
from .memory import Memory
from .paths import fill, join
from .renewal import Renewal
from .secret import Secret, redact
from .steps import Flow
from .store import CacheStore
from .store.seal import Seal
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
        memory: Memory,
        store: CacheStore,
        engine: RequestsEngine,
        seal: Seal,
    ) -> None:
        self.config = config
        self.memory, self.store, self.engine = memory, store, engine
        self._seal = seal
        self._renewal = Renewal(
            alias=config.alias,
            auth=config.auth,
            memory=memory,
            token_timeout=config.token_timeout,
            clock=time.time,
            jitter=_jitter,
            redact=self._redact,
            fingerprint=self._mark,
        )
        self._calls = CallFlow(renewal=self._renewal, expired=self._expired, refusal=self._refusal)
        self._orders = OrderFlow(renewal=self._renewal, memory_seconds=config.memory_seconds)

    @property
    def alias(self) -> str:
        return self.config.alias

    def __repr__(self) -> str:
        return f"<Client {self.alias!r} {self.config.base_url}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a client is never pickled; pass its alias, {self.alias!r}")

    # Calls

    def request(
        self, method: str, path: str, *, raise_for_status: bool | None = None, **kwargs: Any
    ) -> requests.Response:
        """Call `path`, which joins under BASE_URL."""
        url = join(self.config.base_url, path, self.alias)
        outgoing = self.engine.prepare(method, url, kwargs)
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
        if not self.config.auth.renewable:
            return self._static_token()
        return self._run(self._orders.current())  # type: ignore[no-any-return]

    def inspect(self) -> Inspection:
        """Tell what is known of the token, without asking the API."""
        static = Inspection(
            alias=self.alias,
            base_url=self.config.base_url,
            backend=self.config.auth_path,
            state=TokenState.STATIC,
        )
        if not self.config.auth.renewable:
            return static
        view = self._run(self._renewal.look())
        now, token, failure = time.time(), self.memory.token, self.memory.failure
        failed = f"{failure.error}: {failure.description}".rstrip(": ") if failure else ""
        return replace(
            static,
            state=token.state(now) if token else TokenState.ABSENT,
            fingerprint=token.fingerprint if token else "",
            scope=token.scope if token else "",
            obtained_at=moment(token.obtained_at) if token else None,
            renew_at=moment(token.renew_at) if token else None,
            expires_at=moment(token.expires_at) if token else None,
            expires_in=token.expires_at - now if token else None,
            last_error=failed,
            failed_at=moment(failure.at) if failure else None,
            retry_at=moment(failure.until) if failure else None,
            store_available=view is not None,
        )

    def rotate_token(self, *, wait: bool = False) -> Token:
        """Give a new token, published before the old one goes.

        Where the backend can revoke, the old one is revoked at the provider once no process holds
        it in memory any more (MEMORY_SECONDS): by the next token operation, or at once, and after
        that time, with `wait`. A recorded failure does not hold it back, and success clears it.
        """
        self._refuse_static("rotate")
        return self._run(self._orders.rotate(wait))  # type: ignore[no-any-return]

    def revoke_token(self) -> None:
        """Forget the token, everywhere within MEMORY_SECONDS; revoke it at the provider.

        Clears a recorded failure too. The next call obtains a new token. Raises TokenUnavailable
        where the cache or the provider (`revocation_url`, RFC 7009) could not be told.
        """
        self._refuse_static("revoke")
        self._run(self._orders.revoke())

    def _refuse_static(self, verb: str) -> None:
        if not self.config.auth.renewable:
            raise TokenError(
                f"{self.alias}: there is no token to {verb}, its credentials are those in "
                f"settings. Change API_CLIENTS[{self.alias!r}]['AUTH']['OPTIONS'].",
                alias=self.alias,
                error="static",
            )

    def _static_token(self) -> Token:
        blank = requests.Request("GET", self.config.base_url).prepare()
        self.config.auth.sign(blank, None)
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
                subject="",
                method=outgoing.prepared.method,
                status=status,
                seconds=time.perf_counter() - began,
            )

    def _run(self, flow: Flow) -> Any:
        return run(flow, self.engine, self.store, self.memory, Client)

    def _secrets(self) -> list[str]:
        token = self.memory.token
        return [*self.config.secrets(), *(token.revealed() if token else ())]

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
