"""One exchange with the token endpoint: asked, read, and learned from. Without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from operator import methodcaller
from typing import Any

from apiclient_app.auth.base import UNREADABLE
from apiclient_app.auth.messages import CLOCK_NOISE
from apiclient_app.exceptions import StoreUnavailable, TokenError, TokenRefused, TokenUnavailable
from apiclient_app.leases import LEASE_MARGIN
from apiclient_app.memory import Memory
from apiclient_app.secret import Secret, scrubbed
from apiclient_app.steps import Announce, Ask, Auth, Flow, StoreCall

PATIENCE_MARGIN = 1.0
CLIENT_REFUSED = frozenset({"invalid_client", "unauthorized_client"})
OURS = frozenset({"", "unreadable", "no_token", "unknown_token_type"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of the token endpoint, and what it grants or the error that it means.

    Without a reply, no request could be built.
    """

    reply: Any = field(repr=False)
    grant: Any = field(default=None, repr=False)
    error: Exception | None = None

    @property
    def blames_client(self) -> bool:
        return isinstance(self.error, TokenRefused) and self.error.error in CLIENT_REFUSED

    @property
    def may_have_granted(self) -> bool:
        """Whether the provider may have used a refresh token up, though it gave us nothing.

        A gateway's 502 or 504 says nothing of what was done behind it; 503 and 429 say that
        nothing was, and so does an error code in the body of a reply.
        """
        if self.reply is None:
            return False
        status = self.reply.status
        if status == 408 or (status >= 500 and status != 503):
            return True
        said_no = isinstance(self.error, TokenError) and self.error.error not in OURS
        return bool(status < 300) and not said_no


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What asks the token endpoint for one client and subject, at its process's seat.

    `clock` gives epoch seconds and `jitter` 0 to 1; `redact` takes secrets out of a text (the
    settings', and those it is given),
    `fingerprint` gives a mark by which people tell one grant from another, and `successor` is the
    mark of the credentials to switch to.
    """

    alias: str
    auth: Auth
    memory: Memory
    token_timeout: float
    clock: Callable[[], float]
    jitter: Callable[[], float]
    redact: Callable[[str, Iterable[str]], str]
    fingerprint: Callable[[Any], str]
    subject: str = ""
    successor: str = ""
    lease: float = field(init=False)
    patience: float = field(init=False)

    def __post_init__(self) -> None:
        lease = self.token_timeout + LEASE_MARGIN
        object.__setattr__(self, "lease", lease)
        object.__setattr__(self, "patience", lease + self.token_timeout + PATIENCE_MARGIN)

    @property
    def whose(self) -> tuple[str, str]:
        return self.alias, self.subject

    @property
    def switched(self) -> bool:
        return bool(self.successor) and self.memory.switched == self.successor

    def attempt(self, method: str, *args: Any) -> Flow:
        """Call the store; give None where it is down."""
        try:
            return (yield StoreCall(method, args))
        except StoreUnavailable:
            return None

    def announce(self, signal: str, **fields: Any) -> Announce:
        return Announce(signal, {"alias": self.alias, "subject": self.subject, **fields})

    def obtained(self, until: float) -> Flow:
        """Give the answer to a request with the client's own credentials."""
        return (yield from self.answer(methodcaller("token_request"), until))

    def answer(
        self, build: Callable[[Auth], Any], until: float, hidden: Secret[str] | None = None
    ) -> Flow:
        """Give the answer to a token request; raises TransportError.

        Where the provider refuses the client's credentials and there are two sets of them, the
        other one is tried too, and kept if it does. `hidden` is a refresh token, with which the
        request is shielded, and of which nothing is said.
        """
        first: Answer | None = None
        for auth, is_next in self.credentials():
            if first is not None and self.clock() > until:
                break
            answer = yield from self.asked(auth, build, until, hidden)
            if not answer.blames_client:
                if answer.grant is not None and is_next != self.switched:
                    yield from self.switch(is_next)
                return answer
            first = first or answer
        return first

    def switch(self, to_next: bool) -> Flow:
        """Use the next credentials from now on, everywhere; or the current ones again."""
        self.memory.switched = self.successor if to_next else ""
        yield from self.attempt("switch", self.memory.switched)

    def credentials(self) -> Iterator[tuple[Auth, bool]]:
        """Give the backend with each set of credentials, the one in use first."""
        successor = self.auth.successor
        both = [(self.auth, False), *([(successor, True)] if successor else [])]
        return iter(both[::-1] if self.switched else both)

    def asked(
        self,
        auth: Auth,
        build: Callable[[Auth], Any],
        until: float,
        hidden: Secret[str] | None = None,
    ) -> Flow:
        """Ask, and once more if it was refused and the reply taught us what time it is there."""
        while True:
            ours = self.memory.offset
            try:
                request = build(auth.at(self.clock() + ours))
            except (TokenError, *UNREADABLE) as error:
                return Answer(None, error=error)
            reply = yield Ask(request, until, shielded=hidden is not None)
            if "date" in reply.headers:
                self.memory.offset = reply.offset
            answer = read(auth, reply, partial(self._without, request, hidden))
            learned = auth.timed and abs(self.memory.offset - ours) >= CLOCK_NOISE
            if not (learned and isinstance(answer.error, TokenRefused) and self.clock() <= until):
                return answer

    def _without(self, request: Any, hidden: Secret[str] | None, text: str) -> str:
        # In one pass: what a first takes out of a secret would hide it from the second.
        return self.redact(text, [*request.secrets(), *([hidden.reveal()] if hidden else ())])


def read(auth: Auth, reply: Any, clean: Callable[[str], str]) -> Answer:
    """Read a reply. What it repeats of the request's secrets is known here, and taken out."""
    try:
        grant = auth.read(reply)
    except (TokenError, *UNREADABLE) as error:
        return Answer(reply, error=cleaned(error, clean))
    return Answer(reply, replace(grant, scope=clean(grant.scope)))


def cleaned(error: Exception, clean: Callable[[str], str]) -> Exception:
    """Give the like of an error of an auth backend, with its texts clean and nothing behind it."""
    if isinstance(error, TokenRefused):
        said = clean(error.error), clean(error.description)
        return TokenRefused(*said, message=clean(str(error)))
    if isinstance(error, TokenError):
        after = getattr(error, "retry_after", None)
        return TokenUnavailable(clean(str(error)), error=clean(error.error), retry_after=after)
    stand_in: Any = scrubbed(error, clean)
    return stand_in  # type: ignore[no-any-return]
