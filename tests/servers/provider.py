"""A provider to test against: token, revocation and login endpoints, and the API behind them."""

import asyncio
import json
import math
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from email.utils import formatdate
from typing import Any

from .endpoints import ENDPOINTS, client, credential, echo
from .grants import Grants
from .http import Reply, Request, Style

REFUSAL = {"error": {"code": "token_expired", "message": "The access token expired"}}
KEPT = 2_000  # requests remembered in full


@dataclass(slots=True)
class Knobs:
    """What a test can turn while the provider runs."""

    expires_in: Any = 3600  # as told in the reply
    life: float | None = None  # as meant; by default what is told, or for ever
    token_fields: dict[str, Any] = field(default_factory=dict)  # laid over the token reply
    without: list[str] = field(default_factory=list)  # fields left out of it
    token_delay: float = 0.0
    token_style: Style = "whole"  # the way a granted token is sent
    grace: float = 30.0  # seconds for which a used refresh token is taken again
    revoke_older: bool = False  # a new token ends those before it
    credentials: dict[str, str] = field(default_factory=lambda: {"app": "s3cr3t"})
    older: dict[str, str] = field(default_factory=dict)  # secrets that are good beside those
    accept: list[str] = field(default_factory=list)  # tokens and API keys not issued here
    open: bool = False  # the API asks for no token
    forbid_all: bool = False  # the API refuses every token
    odd: dict[str, Any] = field(default_factory=dict)  # {"every": n, "reply": instead}, of the API
    dated: bool = False  # replies say what time it is
    refusal: dict[str, Any] = field(default_factory=lambda: asdict(Reply.of(REFUSAL, 401)))
    login_reply: Any = field(
        default_factory=lambda: {"access_token": "{token}", "expires_in": 3600}
    )


@dataclass(slots=True)
class Seen:
    """What the provider has seen since it was reset. Times are epoch seconds."""

    statuses: Counter[str] = field(default_factory=Counter)  # "401 /api/echo" -> how many
    token_requests: list[dict[str, Any]] = field(default_factory=list)
    most_at_once: int = 0  # token requests
    revocations: list[dict[str, Any]] = field(default_factory=list)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def counts(self) -> dict[str, Any]:
        """Give it as JSON types, but for the requests, which are many."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "requests"}


class Provider:
    """Answers requests by its knobs and scripts, and remembers them."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.knobs = Knobs()
        self.seen = Seen()
        self.scripts: dict[str, list[Reply]] = {}
        self.always: dict[str, Reply] = {}
        self.dies_at: dict[str, float] = {}  # by token
        self.whose: dict[str, str] = {}  # subject by token, also of those that are over
        self.grants = Grants()
        self.served = 0  # by the API
        self.asking = 0
        self.begun: set[int] = set()  # requests that are not answered yet

    async def answer(self, request: Request) -> Reply:
        path = request.path
        if path.startswith("/control/"):
            return self.control(path.removeprefix("/control/"), request.body)
        reply = await self.reply(request, path)
        if not self.knobs.dated:
            return reply
        return replace(reply, headers={"Date": formatdate(usegmt=True), **reply.headers})

    async def reply(self, request: Request, path: str) -> Reply:
        self.begun.add(id(request))
        self.remember(request)
        if path in ("/token", "/login"):
            return await self.token_endpoint(request)
        if (scripted := self.scripted(path)) is not None:
            return scripted
        if path == "/revoke":
            return self.revoke(request)
        return await self.api(request)

    def done(self, request: Request, reply: Reply) -> None:
        path = request.path
        if path.startswith("/control/"):
            return
        if id(request) not in self.begun:
            return  # begun before the last reset: it is not this test's to count
        self.begun.discard(id(request))
        if path in ("/token", "/login"):
            self.asking -= 1
        self.seen.statuses[f"{reply.status} {path}"] += 1

    def remember(self, request: Request) -> None:
        self.seen.requests.append(
            {
                "at": time.time(),
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": request.headers,
                "peer": request.peer,
            }
        )

    def scripted(self, path: str) -> Reply | None:
        script = self.scripts.get(path)
        reply = script.pop(0) if script else self.always.get(path)
        if reply is None or "{token}" not in reply.body:
            return reply
        body = reply.body.replace("{token}", self.issue())
        return Reply(**{**asdict(reply), "body": body})

    async def token_endpoint(self, request: Request) -> Reply:
        self.asking += 1
        self.seen.most_at_once = max(self.seen.most_at_once, self.asking)
        client_id, secret, how = client(request)
        asked = {
            "at": time.time(),
            "path": request.path,
            "peer": request.peer,
            "client_id": client_id,
            "client_auth": how,
            "subject": self.subject(request.fields()),
            "fields": request.fields(),
            "headers": request.headers,
        }
        self.seen.token_requests.append(asked)
        await asyncio.sleep(self.knobs.token_delay)
        if (scripted := self.scripted(request.path)) is not None:
            return scripted
        if request.path == "/login":
            text = json.dumps(self.knobs.login_reply)
            return Reply.of(json.loads(text.replace("{token}", self.issue())))
        if not self.knows(client_id, secret):
            return Reply.of({"error": "invalid_client", "error_description": "unknown"}, 401)
        return self.grant(asked)

    def subject(self, fields: Mapping[str, Any]) -> str:
        """Whose token is asked for; nobody's in particular by default."""
        hint = str(fields.get("login_hint", ""))
        return self.grants.whose.get(fields.get("refresh_token", ""), hint)

    def knows(self, client_id: str, secret: str) -> bool:
        known = (self.knobs.credentials, self.knobs.older)
        return any(secrets_of.get(client_id) == secret for secrets_of in known)

    def grant(self, asked: dict[str, Any]) -> Reply:
        """Answer a request that comes from a client of ours."""
        refresh_token = asked["fields"].get("refresh_token")
        more = {}
        if refresh_token in self.grants.whose:
            more["refresh_token"] = self.grants.take(refresh_token, self.knobs.grace)
            if not more["refresh_token"]:
                return Reply.of({"error": "invalid_grant"}, 400)
        asked["token"] = token = self.issue(asked["subject"])
        return replace(self.granted(token, more), style=self.knobs.token_style)

    def granted(self, token: str, more: dict[str, str]) -> Reply:
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.knobs.expires_in}
        told |= more | self.knobs.token_fields
        return Reply.of({n: v for n, v in told.items() if n not in self.knobs.without})

    def issue(self, subject: str = "") -> str:
        if self.knobs.revoke_older:
            self.dies_at.clear()
        told, life = self.knobs.expires_in, self.knobs.life
        if life is None:
            life = told if isinstance(told, int | float) and told > 0 else math.inf
        token = secrets.token_urlsafe(24)
        self.dies_at[token] = time.time() + life
        self.whose[token] = subject
        return token

    def revoke(self, request: Request) -> Reply:
        client_id, secret, how = client(request)
        asked = {"at": time.time(), "client_id": client_id, "client_auth": how}
        self.seen.revocations.append(asked | {"fields": request.fields()})
        if not self.knows(client_id, secret):
            return Reply.of({"error": "invalid_client"}, 401)
        self.dies_at.pop(request.fields().get("token", ""), None)
        return Reply()

    async def api(self, request: Request) -> Reply:
        token = credential(request)
        self.seen.requests[-1]["token"] = token
        self.served += 1
        if (odd := self.knobs.odd) and self.served % odd["every"] == 0:
            return Reply(**odd["reply"])
        if request.path == "/api/forbidden" or not self.welcome(token):
            return Reply(**self.knobs.refusal)
        _, _, rest = request.path.partition("/api/")
        name, _, argument = rest.partition("/")
        if name == "whose":
            return Reply.of({"subject": self.whose.get(token, "")})
        endpoint = ENDPOINTS.get(name, echo)
        query = request.query
        if name == "slow":
            await asyncio.sleep(float(query["ms"]) / 1000)
        return endpoint(request, argument, query)

    def welcome(self, token: str) -> bool:
        if self.knobs.open:
            return True
        if self.knobs.forbid_all:
            return False
        return token in self.knobs.accept or self.dies_at.get(token, 0.0) > time.time()

    def control(self, order: str, body: bytes) -> Reply:
        given = json.loads(body or b"{}")
        if order in ASKED:
            return Reply.of(ASKED[order](self))
        match order:
            case "set":
                for name, value in given.items():
                    setattr(self.knobs, name, value)
            case "script":
                self.scripts[given["path"]] = [Reply(**reply) for reply in given["replies"]]
            case "always":
                self.always[given["path"]] = Reply(**given["reply"])
            case "usual":
                self.always.pop(given["path"], None)
            case "consent":
                return Reply.of(self.grants.consent(given["subject"]))
            case _:
                {"reset": self.reset, "expire": self.dies_at.clear}[order]()
        return Reply.of({})


ASKED: dict[str, Callable[[Provider], Any]] = {
    "seen": lambda provider: provider.seen.counts(),
    "requests": lambda provider: list(provider.seen.requests),
    "issued": lambda provider: [*provider.whose, *provider.grants.issued],
    "lost": lambda provider: provider.grants.lost,
}
