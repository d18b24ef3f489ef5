"""settings.API_CLIENTS, read lazily into one frozen ClientConfig per alias."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from apiclient_app.auth import AuthBackend
from apiclient_app.exceptions import APIClientError, InvalidConfiguration, UnknownClient
from apiclient_app.guard.circuit import Breaker
from apiclient_app.guard.rates import RateLimit
from apiclient_app.guard.retries import Retry
from apiclient_app.secret import SENSITIVE_NAME

from .examination import Findings, examine
from .masking import masked_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """What `settings.API_CLIENTS[alias]` says, checked and with defaults filled in."""

    alias: str
    base_url: str
    auth: AuthBackend
    auth_path: str
    cache: str
    headers: Mapping[str, str] = field(repr=False)
    proxies: Mapping[str, str] | None = field(repr=False)
    verify: bool | str
    cert: str | tuple[str, str] | None
    timeout: float | tuple[float | None, float | None]
    pool_size: int
    session: Callable[[], Any] | None
    engine: str
    concurrency: int
    expired: Callable[[Any], bool]
    raise_for_status: bool
    token_timeout: float
    check: tuple[str, str] | None = field(repr=False)
    allow_http: bool
    endpoints: Mapping[str, tuple[str, str]] = field(repr=False)
    memory_seconds: float
    retry: Retry | None
    rate_limit: RateLimit | None
    max_in_flight: int | None
    deadline: float | None
    breaker: Breaker | None
    response_limit: int | None
    source: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def limited(self) -> bool:
        """Whether calls may be kept back: RATE_LIMIT, MAX_IN_FLIGHT."""
        return self.rate_limit is not None or self.max_in_flight is not None

    def masked(self) -> dict[str, str]:
        """Give setting name to text for people, with every secret masked."""
        shown = masked_settings(self.source, self.auth, self.auth_path)
        return {**shown, "TOKEN_TIMEOUT": f"{self.token_timeout:g}"}

    def secrets(self) -> list[str]:
        """Give every secret text in it, for redaction."""
        passwords = [urlsplit(url).password or "" for url in (self.proxies or {}).values()]
        proxies = {text for password in passwords for text in (password, unquote(password))}
        headers = [v for n, v in self.headers.items() if SENSITIVE_NAME.search(n)]
        return [*self.auth.secrets(), *headers, *filter(None, proxies)]


def configured() -> Mapping[str, Any]:
    """Give settings.API_CLIENTS; InvalidConfiguration if it is not a dict."""
    if not isinstance(getattr(settings, "API_CLIENTS", {}), Mapping):
        raise InvalidConfiguration("settings.API_CLIENTS must be a dict keyed by alias.")
    return getattr(settings, "API_CLIENTS", {})


def config_for(alias: str) -> ClientConfig:
    """Give the configuration of one client; UnknownClient or InvalidConfiguration."""
    found = _found(alias)
    # Raised where no local variable holds settings: error reports print them.
    if isinstance(found, APIClientError):
        raise found
    return found


def _found(alias: str) -> ClientConfig | APIClientError:
    clients = configured()
    if alias not in clients:
        known = ", ".join(map(repr, clients)) or "none"
        return UnknownClient(f"There is no API_CLIENTS[{alias!r}] in settings; known: {known}.")
    findings = examine(alias, clients[alias])
    if findings.problems:
        return InvalidConfiguration(" ".join(f"{p}" for p in findings.problems))
    return _config(alias, findings)


def _config(alias: str, findings: Findings) -> ClientConfig:
    values = findings.values
    timeout = values["TIMEOUT"]
    parts = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    longest = sum(10 if part is None else part for part in parts)
    return ClientConfig(
        alias=alias,
        base_url=values["BASE_URL"],
        auth=values["AUTH"],
        auth_path=findings.auth_path,
        cache=values["CACHE"],
        headers=MappingProxyType(dict(values["HEADERS"])),
        proxies=None if values["PROXIES"] is None else MappingProxyType(dict(values["PROXIES"])),
        verify=values["VERIFY"],
        cert=values["CERT"],
        timeout=timeout,
        pool_size=values["POOL_SIZE"],
        session=values["SESSION"],
        engine=values["ENGINE"],
        concurrency=values["CONCURRENCY"],
        expired=values["EXPIRED"],
        raise_for_status=values["RAISE_FOR_STATUS"],
        token_timeout=float(values["TOKEN_TIMEOUT"] or min(10, longest)),
        check=values["CHECK"],
        allow_http=values["ALLOW_HTTP"],
        endpoints=MappingProxyType(values["ENDPOINTS"]),
        memory_seconds=float(values["MEMORY_SECONDS"]),
        retry=values["RETRY"],
        rate_limit=values["RATE_LIMIT"],
        max_in_flight=values["MAX_IN_FLIGHT"],
        deadline=values["DEADLINE"],
        breaker=values["BREAKER"],
        response_limit=values["RESPONSE_LIMIT"],
        source=findings.source,
    )
