"""How a transfer gets to its server: in what time, by which proxy, and whom it trusts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pycurl
from requests.exceptions import InvalidProxyURL
from requests.utils import DEFAULT_CA_BUNDLE_PATH, prepend_scheme_if_needed, select_proxy
from urllib3.util import parse_url

from apiclient_app.engines.timeouts import timeouts

NO_TIMEOUT_MS = 2**31 - 1


def take(curl: Any, url: str, options: dict[str, Any]) -> float | None:
    """Set a handle up as `options` say; give for how many seconds to wait for the next bytes."""
    connect, read = timeouts(options["timeout"])
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, _milliseconds(connect))
    proxy = proxy_of(url, options) or ""
    curl.setopt(pycurl.PROXY, proxy)
    if url.startswith("https") or proxy.startswith("https"):
        _trust(curl, options["verify"])
    if options["cert"]:
        _identify(curl, options["cert"])
    return read


def proxy_of(url: str, options: dict[str, Any]) -> str | None:
    proxy = select_proxy(url, options.get("proxies") or {})
    if not proxy:
        return None
    proxy = prepend_scheme_if_needed(proxy, "http")
    if not parse_url(proxy).host:
        raise InvalidProxyURL("the proxy URL names no host")
    return str(proxy)


def _milliseconds(seconds: float | None) -> int:
    if seconds is None or seconds >= NO_TIMEOUT_MS / 1000:
        return NO_TIMEOUT_MS
    return max(1, int(seconds * 1000))  # 0 is libcurl's word for five minutes


def _trust(curl: Any, verify: Any) -> None:
    """Whom to trust, servers and proxies alike."""
    if verify is False:
        for option in (pycurl.SSL_VERIFYPEER, pycurl.PROXY_SSL_VERIFYPEER):
            curl.setopt(option, 0)
        for option in (pycurl.SSL_VERIFYHOST, pycurl.PROXY_SSL_VERIFYHOST):
            curl.setopt(option, 0)
        return
    bundle = DEFAULT_CA_BUNDLE_PATH if verify is True or not verify else str(verify)
    _must_be("a CA bundle", bundle)
    files = (pycurl.CAINFO, pycurl.PROXY_CAINFO)
    folders = (pycurl.CAPATH, pycurl.PROXY_CAPATH)
    if Path(bundle).is_dir():
        files, folders = folders, files
    for option in files:
        curl.setopt(option, bundle)
    for option in folders:
        curl.unsetopt(option)  # or else libcurl's own ones are trusted too


def _identify(curl: Any, cert: Any) -> None:
    """Which certificate to show."""
    certificate, key = (cert, None) if isinstance(cert, str) else cert
    _must_be("the TLS certificate", certificate)
    curl.setopt(pycurl.SSLCERT, certificate)
    if key:
        _must_be("the TLS key", key)
        curl.setopt(pycurl.SSLKEY, key)


def _must_be(what: str, path: str) -> None:
    if not Path(path).exists():
        raise OSError(f"could not find {what}, invalid path: {path}")
