"""`clients`: one client per alias and process. It owns snapshots, locks and pools."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin
from weakref import WeakSet

from django.conf import settings
from django.core.cache import caches
from django.core.signals import setting_changed

from .auth import AuthBackend
from .client import Client
from .conf import ClientConfig, config_for, configured
from .engines import Engine, Rooms
from .memory import Memory
from .store import CacheStore, Identity
from .store.outage import Outage
from .store.rows import Rows, identity_of
from .store.seal import Seal
from .store.table import DjangoTable
from .subjects import Subjects


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
            client.rooms.engine.close()

    def _build(self, config: ClientConfig) -> Client:
        engine = Engine(config)

        def make(subject: str) -> Client:
            # No cycle: a subject's client goes with the last who holds it.
            auth = config.auth.for_subject(subject) if subject else config.auth
            rooms = self._rooms(config, auth, engine, subject)
            return Client(config, auth, rooms, seal, subjects, subject)

        seal = self.seal
        subjects = Subjects(make, alias=config.alias)
        client = make("")
        self._alive.add(client)
        return client

    @property
    def seal(self) -> Seal:
        """What seals records and rows, with SECRET_KEY and its fallbacks."""
        if self._seal is None:
            self._seal = Seal([settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)])
        return self._seal

    def _rooms(
        self, config: ClientConfig, auth: AuthBackend, engine: Engine, subject: str
    ) -> Rooms:
        seal, memory = self.seal, Memory(config.memory_seconds)
        identity = self._identity(config, auth, subject)
        store = CacheStore(
            lambda: caches[config.cache],
            identity,
            seal,
            self._outages.setdefault(config.cache, Outage(config.cache, time.time)),
            time.time,
            config.memory_seconds,
            lambda: memory.offset,
            self._identity(config, config.auth, ""),
        )
        rows = self._rows(config, auth, subject) if auth.refreshes else None
        return Rooms(engine, store, rows, memory)

    def _identity(self, config: ClientConfig, auth: AuthBackend, subject: str) -> Identity:
        determined = [config.alias, config.base_url, config.auth_path, auth.identity(), subject]
        marked = self.seal.mark(subject, 32) if subject else ""
        return Identity(config.alias, marked, self.seal.mark(determined, 32))

    def _rows(self, config: ClientConfig, auth: AuthBackend, subject: str) -> Rows:
        grant = auth.grant_identity()
        if auth.obtains:
            # There may be a password in it, which a plain hash would give away.
            grant = self.seal.mark(grant, 32)
        elif isinstance(grant, list) and grant:
            # A relative URL is another one at another BASE_URL, and its refresh token too.
            grant = [urljoin(config.base_url, str(grant[0])), *grant[1:]]
        # The refresh token in the settings is the application's own, and no subject's.
        first = None if subject else auth.first_refresh_token
        identity = identity_of(config.alias, grant, subject)
        return Rows(DjangoTable(), identity, config.alias, subject, self.seal, first)

    def after_fork(self) -> None:
        """Drop what must not be shared with the parent: locks that may be held, and sockets."""
        self._lock = threading.Lock()
        for outage in self._outages.values():
            outage.reset()
        for client in list(self._alive):
            client.after_fork()


clients = ClientHandler()

REBUILT_ON = frozenset({"API_CLIENTS", "CACHES", "SECRET_KEY", "SECRET_KEY_FALLBACKS"})


def _setting_changed(*, setting: str, **_: Any) -> None:
    if setting in REBUILT_ON:
        clients.reset()


setting_changed.connect(_setting_changed, dispatch_uid="apiclient_app.handler")
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=clients.after_fork)
