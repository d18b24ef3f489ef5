"""`clients`: one client per alias and process. It owns snapshots, locks and pools."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from django.core.signals import setting_changed

if TYPE_CHECKING:
    from .building import Builder
    from .client import Client
    from .store.seal import Seal


class ClientHandler:
    """Clients by alias, like Django's `caches` and `storages`."""

    def __init__(self) -> None:
        self._alive: WeakSet[Client] = WeakSet()
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}
        self._builder: Builder | None = None

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
            client = self._clients.get(alias)
            if client is None:
                client = self._clients[alias] = self._built.client(alias)
                self._alive.add(client)
            return client

    @property
    def _built(self) -> Builder:
        if self._builder is None:
            # Not before it is needed: 100 ms of imports, in commands that call no API too.
            from .building import Builder

            self._builder = Builder()
        return self._builder

    @property
    def seal(self) -> Seal:
        """What seals records and rows, with SECRET_KEY and its fallbacks."""
        return self._built.seal

    def __iter__(self) -> Iterator[str]:
        return iter(_configured())

    def __len__(self) -> int:
        return len(_configured())

    def __contains__(self, alias: object) -> bool:
        return alias in _configured()

    def all(self) -> list[Client]:
        """Give every client; raises InvalidConfiguration if one cannot be built."""
        return [self[alias] for alias in self]

    def close(self) -> None:
        """Close all pooled connections; clients stay usable."""
        for client in list(self._alive):
            client.rooms.engine.close()

    def after_fork(self) -> None:
        """Drop what must not be shared with the parent: locks that may be held, and sockets."""
        self._lock = threading.Lock()
        if self._builder is not None:
            self._builder.after_fork()
        for client in list(self._alive):
            client.after_fork()


def _configured() -> Mapping[str, Any]:
    from .conf import configured  # late, as above

    return configured()


clients = ClientHandler()

REBUILT_ON = frozenset({"API_CLIENTS", "CACHES", "SECRET_KEY", "SECRET_KEY_FALLBACKS"})


def _setting_changed(*, setting: str, **_: Any) -> None:
    if setting in REBUILT_ON:
        clients.reset()


setting_changed.connect(_setting_changed, dispatch_uid="apiclient_app.handler")
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=clients.after_fork)
