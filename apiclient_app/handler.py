"""`clients`: one client per alias and process. It owns snapshots, locks and pools."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

from django.conf import settings
from django.core.cache import caches
from django.core.signals import setting_changed

from .client import Client
from .conf import ClientConfig, config_for, configured
from .engines import RequestsEngine
from .memory import Memory
from .store import CacheStore, Identity
from .store.outage import Outage
from .store.seal import Seal


class ClientHandler:
    """Clients by alias, like Django's `caches` and `storages`."""

    def __init__(self) -> None:
        self._alive: WeakSet[Client] = WeakSet()
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}
        self._outages: dict[str, Outage] = {}
        self._seal: Seal | None = None

    def reset(self) -> None:
        """Build every client anew when it is asked for next: settings have changed."""
        self.close()
        self._start()

    def __getitem__(self, alias: str) -> Client:
        """Give the client; raises UnknownClient or InvalidConfiguration."""
        try:
            return self._clients[alias]
        except KeyError:
            pass
        with self._lock:
            if alias not in self._clients:
                self._clients[alias] = self._build(config_for(alias))
            return self._clients[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(configured())

    def __len__(self) -> int:
        return len(configured())

    def __contains__(self, alias: object) -> bool:
        return alias in configured()

    def all(self) -> list[Client]:
        """Give every client; raises InvalidConfiguration if one cannot be built."""
        return [self[alias] for alias in self]

    def close(self) -> None:
        """Close all pooled connections; clients stay usable."""
        for client in list(self._alive):
            client.engine.close()

    def _build(self, config: ClientConfig) -> Client:
        if self._seal is None:
            self._seal = Seal([settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)])
        seal = self._seal
        determined = [config.alias, config.base_url, config.auth_path, config.auth.identity()]
        identity = Identity(config.alias, "", seal.mark(determined, 32))
        outage = self._outages.setdefault(config.cache, Outage(config.cache, time.time))
        client = Client(
            config,
            Memory(config.memory_seconds),
            CacheStore(
                lambda: caches[config.cache],
                identity,
                seal,
                outage,
                time.time,
                config.memory_seconds,
            ),
            RequestsEngine(config),
            seal,
        )
        self._alive.add(client)
        return client

    def after_fork(self) -> None:
        """Drop what must not be shared with the parent: locks that may be held, and sockets."""
        self._lock = threading.Lock()
        for outage in self._outages.values():
            outage.reset()
        for client in list(self._alive):
            client.memory.reset()
            client.engine.reset()


clients = ClientHandler()

REBUILT_ON = frozenset({"API_CLIENTS", "CACHES", "SECRET_KEY", "SECRET_KEY_FALLBACKS"})


def _setting_changed(*, setting: str, **_: Any) -> None:
    if setting in REBUILT_ON:
        clients.reset()


setting_changed.connect(_setting_changed, dispatch_uid="apiclient_app.handler")
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=clients.after_fork)
