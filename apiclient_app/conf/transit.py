"""Where a client's credentials go, and whether others could read them on the way."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urljoin, urlsplit

from apiclient_app.auth import AuthBackend, NoAuth
from apiclient_app.secret import SENSITIVE_NAME

from .problems import at

TOKEN_URLS = ("token_url", "login_url", "refresh_url", "revocation_url")


def has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def odd(url: str) -> bool:
    """Whether it holds what URLs do not, and what readers of URLs read in different ways."""
    return any(c.isspace() or ord(c) < 32 or c in "\\\x7f" for c in url)


def unusable(base_url: str, auth: AuthBackend) -> Iterator[str]:
    """Give the key of each endpoint that is no http or https URL, or has user information."""
    for name in TOKEN_URLS:
        value = getattr(auth, name, "")
        if isinstance(value, str) and value and not _usable(base_url, value):
            yield at("AUTH", "OPTIONS", name)


def _usable(base_url: str, value: str) -> bool:
    url = "" if odd(value) else _joined(base_url, value)
    return url.startswith(("http://", "https://")) and "@" not in urlsplit(url).netloc


def _joined(base_url: str, value: str) -> str:
    """Give the URL that is meant, or nothing for one that cannot be read."""
    try:
        url = urljoin(base_url, value)
    except ValueError:
        return ""
    return url if has_host(url) else ""


def credentials_in_clear(
    base_url: str, auth: AuthBackend, headers: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give key and host of each URL that would carry credentials unencrypted off this machine."""
    if isinstance(auth, NoAuth) and not any(map(SENSITIVE_NAME.search, headers)):
        return
    urls = {at("BASE_URL"): base_url}
    for name, value in vars(auth).items():
        if (name == "url" or name.endswith("_url")) and isinstance(value, str) and value:
            urls[at("AUTH", "OPTIONS", name)] = _joined(base_url, value)
    for key, url in urls.items():
        if host := in_clear(url):
            yield key, host


def in_clear(url: str) -> str:
    """Give the host that a URL leads to over plain http, if that is not this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return host if parts.scheme == "http" and not is_loopback(host) else ""


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
