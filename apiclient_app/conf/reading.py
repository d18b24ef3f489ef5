"""From what stands in settings to what the app works with, key by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any
from urllib.parse import urlsplit

from django.utils.module_loading import import_string

from apiclient_app.auth import AuthBackend
from apiclient_app.auth.headers import sendable
from apiclient_app.auth.options import build
from apiclient_app.expiry import AnyRule, ExpiryRule

from .guarding import read_breaker, read_rate_limit, read_retry
from .numbers import WAIT, amiss
from .problems import at
from .transit import has_host, odd
from .unusable import Complaint, Unusable, wrong

RULES = ("status", "body", "header", "error")
FRAMING = ("content-length", "transfer-encoding")
METHODS = ("GET", "OPTIONS", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def read_url(value: str) -> str:
    if odd(value) or not value.lower().startswith(("http://", "https://")) or not has_host(value):
        raise wrong("is not an http or https URL.", "Give https://host/path/.")
    parts = urlsplit(value)
    if parts.username or parts.password or parts.query or parts.fragment:
        remedy = "Give scheme, host and path; credentials belong into AUTH."
        raise wrong("has user information, a query or a fragment.", remedy)
    return value


def auth_path(value: Any) -> str:
    """Give the dotted path of the auth backend in an AUTH setting."""
    backend = value.get("BACKEND", "") if isinstance(value, Mapping) else ""
    if isinstance(backend, type):
        return f"{backend.__module__}.{backend.__qualname__}"
    return str(backend)


def read_auth(value: Mapping[str, Any]) -> AuthBackend:
    unknown = [str(name) for name in value if name not in ("BACKEND", "OPTIONS")]
    if unknown:
        remedy = 'Give {"BACKEND": "dotted.path", "OPTIONS": {...}}.'
        raise wrong(f"has unknown keys: {', '.join(unknown)}.", remedy)
    backend = value.get("BACKEND")
    if isinstance(backend, str):
        try:
            backend = import_string(backend)
        except ImportError as error:
            text = f"cannot be imported ({error})."
            remedy = "Give a dotted path such as apiclient_app.auth.ClientCredentials."
            raise Unusable(("E005", at("BACKEND"), text, remedy)) from error
    if not isinstance(backend, type) or not issubclass(backend, AuthBackend):
        remedy = "Subclass apiclient_app.auth.AuthBackend."
        raise Unusable(("E005", at("BACKEND"), "is not an auth backend.", remedy))
    options = value.get("OPTIONS", {})
    if not isinstance(options, Mapping):
        raise wrong("is not a dict.", "Give a dict of options.", at("OPTIONS"))
    auth, problems = build(backend, options)
    if auth is None:
        raise Unusable(*(_option(p.kind, p.option, p.remedy) for p in problems))
    return auth


def _option(kind: str, option: str, remedy: str) -> Complaint:
    code = {"unknown": "E006", "missing": "E007"}.get(kind, "E008")
    text = {
        "unknown": "is not a known option.",
        "missing": "is missing.",
    }.get(kind, "has a wrong value.")
    return code, at("OPTIONS", option) if option else at("OPTIONS"), text, remedy


def read_expired(value: Any) -> Callable[[Any], bool]:
    if isinstance(value, list):
        return AnyRule(tuple(read_expired(item) for item in value))
    if isinstance(value, str):
        value = imported(value)
    if not isinstance(value, Mapping):
        if callable(value):
            return value  # type: ignore[no-any-return]
        raise wrong("is not a rule.", 'Give {"status": [401]} or a dotted path to a callable.')
    unknown = [str(name) for name in value if name not in RULES]
    if unknown:
        raise wrong(f"has unknown keys: {', '.join(unknown)}.", f"Use {', '.join(RULES)}.")
    status = value.get("status", [401])
    if not isinstance(status, list | tuple | set) or not all(type(s) is int for s in status):
        raise wrong("is not a list of status codes.", "Give [401].", at("status"))
    rules = {name: _values(name, value.get(name, {})) for name in ("body", "header")}
    if not all(isinstance(v, str) for items in rules["header"].values() for v in items):
        raise wrong("has a value that is not a text.", 'Give {"name": ["text"]}.', at("header"))
    return ExpiryRule(frozenset(status), rules["body"], rules["header"], _errors(value))


def _errors(rule: Mapping[str, Any]) -> tuple[str, ...]:
    codes = rule.get("error", ())
    listed = isinstance(codes, list | tuple) and all(isinstance(code, str) for code in codes)
    if not listed or ("error" in rule and not codes):
        raise wrong("is not a list of error codes.", 'Give ["invalid_token"].', at("error"))
    return tuple(codes)


def _values(name: str, value: Any) -> dict[str, tuple[Any, ...]]:
    lists = isinstance(value, Mapping) and all(isinstance(v, list | tuple) for v in value.values())
    if not lists:
        raise wrong("is not a dict of lists.", 'Give {"name": [values]}.', at(name))
    return {str(key): tuple(items) for key, items in value.items()}


def read_session(value: Any) -> Callable[[], Any] | None:
    session = imported(value) if isinstance(value, str) else value
    if session is not None and not callable(session):
        raise wrong("is not callable.", "Name a callable that returns a requests.Session.")
    return session  # type: ignore[no-any-return]


def imported(path: str) -> Any:
    try:
        return import_string(path)
    except ImportError as error:
        raise wrong(f"cannot be imported ({error}).", "Give a dotted path.") from error


def read_endpoints(value: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    endpoints: dict[str, tuple[str, str]] = {}
    complaints: list[Complaint] = []
    for name, text in value.items():
        try:
            if not _fillable(text):
                remedy = "Name each placeholder: 'GET users/{name}'. A brace itself is doubled."
                raise wrong("has a placeholder that cannot be filled.", remedy, at(name))
            endpoints[name] = _endpoint(text, at(name))
        except Unusable as error:
            complaints += error.complaints
    if complaints:
        raise Unusable(*complaints)
    return endpoints


def _fillable(template: str) -> bool:
    try:
        pieces = list(Formatter().parse(template))
    except ValueError:
        return False
    return all(name is None or name.isidentifier() for _, name, _, _ in pieces)


def read_check(value: str) -> tuple[str, str] | None:
    return _endpoint(value, "") if value else None


def _endpoint(text: str, inner: str) -> tuple[str, str]:
    method, _, path = text.strip().partition(" ")
    if method.upper() not in METHODS or not path.strip():
        raise wrong("cannot be read.", "Give a method and a path: 'GET users'.", inner)
    return method.upper(), path.strip()


def read_timeout(value: Any) -> Any:
    parts = value if isinstance(value, list | tuple) else (value, value)
    if len(parts) != 2 or any(part is not None and not part > 0 for part in parts):
        raise wrong("is not a timeout.", "Give seconds above zero, or (connect, read).")
    for part in filter(None, parts):
        text, remedy = amiss(part, WAIT, none=True)
        if text:
            raise wrong(text, remedy)
    return tuple(parts) if isinstance(value, list) else value


def read_cert(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) != 2:
        raise wrong("is not a certificate and its key.", "Give one path, or certificate and key.")
    return tuple(value) if isinstance(value, list) else value


def read_headers(value: Mapping[str, str]) -> Mapping[str, str]:
    remedy = "Give a name without blanks, and a value of one line in Latin-1, without control "
    remedy += "characters."
    complaints = [
        ("E004", at(name), "cannot be sent.", remedy)
        for name, text in value.items()
        if not sendable(name, text)
    ]
    complaints += [
        ("E004", at(name), "is for each request to say, of its own body.", "Remove it.")
        for name in value
        if name.lower() in FRAMING
    ]
    if complaints:
        raise Unusable(*complaints)
    return value


def read_verify(value: bool | str) -> bool | str:
    if isinstance(value, str) and not value.strip():
        remedy = "Give True, or the path of a CA bundle."
        raise wrong("is an empty text, with which requests verifies nothing.", remedy)
    return value


def read_proxies(value: Mapping[str, str] | None) -> dict[str, str] | None:
    if value is None:
        return None
    complaints = []
    for scheme, url in value.items():
        if url and scheme != "no_proxy" and not has_host(proxy_url(scheme, url)):
            remedy = "Give http://host:port, with user:password@ before it if need be."
            complaints.append(("E004", at(scheme), "is not the URL of a proxy.", remedy))
    if complaints:
        raise Unusable(*complaints)
    return {scheme: proxy_url(scheme, url) for scheme, url in value.items()}


def proxy_url(scheme: str, url: str) -> str:
    """Give the URL of a proxy as requests understands it, and as what is secret in it is found."""
    return url if not url or scheme == "no_proxy" or "://" in url else f"http://{url}"


READERS: dict[str, Callable[[Any], Any]] = {
    "BASE_URL": read_url,
    "AUTH": read_auth,
    "EXPIRED": read_expired,
    "SESSION": read_session,
    "ENDPOINTS": read_endpoints,
    "CHECK": read_check,
    "TIMEOUT": read_timeout,
    "CERT": read_cert,
    "HEADERS": read_headers,
    "PROXIES": read_proxies,
    "VERIFY": read_verify,
    "RETRY": read_retry,
    "RATE_LIMIT": read_rate_limit,
    "BREAKER": read_breaker,
}
