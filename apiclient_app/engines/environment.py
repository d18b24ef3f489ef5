"""Our own Session: it searches the environment for proxies only where there are some."""

from __future__ import annotations

import os
import urllib.request
from typing import Any

import requests


class ProxyVariables:
    """Whether the environment has any, at the price of comparing two dicts."""

    def __init__(self) -> None:
        self._known: tuple[Any, bool] = ({}, False)

    def present(self) -> bool:
        """Say so as of now; True where that cannot be told."""
        # Comparing os.environ itself decodes all of it, which costs what is to be saved.
        now: Any = getattr(os.environ, "_data", None)
        # On macOS and Windows proxies come from the system's settings too.
        elsewhere = urllib.request.getproxies is not urllib.request.getproxies_environment
        if now is None or elsewhere:
            return True
        seen, present = self._known
        if now != seen:
            seen = dict(now)
            present = any(os.fsdecode(name).lower().endswith("_proxy") for name in seen)
            self._known = seen, present
        return present


class Session(requests.Session):
    """A `requests.Session` for one thread that spares itself a search in vain.

    The search for proxies takes 6 % of a small call over loopback, and nearly always finds none.
    Every call asks whether there could be any, so that a change of the environment counts at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self._proxy_variables = ProxyVariables()

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        if not self.trust_env or self._proxy_variables.present():
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if verify is True or verify is None:
            bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
            verify = bundle or verify
        self.trust_env = False
        try:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        finally:
            self.trust_env = True
