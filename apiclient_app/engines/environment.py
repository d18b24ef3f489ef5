"""The environment's say in a call: proxies and CA bundles, looked up again when it has changed."""

from __future__ import annotations

import os
import urllib.request
from typing import Any

import requests


class Variables:
    """The environment's variables as last seen, at the price of comparing two dicts."""

    def __init__(self) -> None:
        self._seen: Any = None
        self._version = 0
        self.proxies = True

    def look(self) -> int:
        """Give a number that stays while nothing changes, and set `proxies`: whether there could
        be any. 0 where it cannot be told."""
        # Comparing os.environ itself decodes all of it, which costs what is to be saved.
        now: Any = getattr(os.environ, "_data", None)
        # On macOS and Windows proxies come from the system's settings too.
        elsewhere = urllib.request.getproxies is not urllib.request.getproxies_environment
        if now is None or elsewhere:
            self.proxies = True
            return 0
        if now != self._seen:
            self._seen = dict(now)
            self.proxies = any(os.fsdecode(name).lower().endswith("_proxy") for name in now)
            self._version += 1
        return self._version


class Session(requests.Session):
    """A `requests.Session` for one thread that spares itself a search in vain.

    The search for proxies takes 6 % of a small call over loopback, and nearly always finds none.
    Every call asks whether there could be any, so that a change of the environment counts at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.variables = Variables()

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        if not self.trust_env or not self.variables.look() or self.variables.proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if verify is True or verify is None:
            bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
            verify = bundle or verify
        self.trust_env = False
        try:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        finally:
            self.trust_env = True
