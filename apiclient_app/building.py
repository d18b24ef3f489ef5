"""From the settings of one alias to its client: everything that a client is made of."""

from __future__ import annotations

import time
from urllib.parse import urljoin

from django.conf import settings
from django.core.cache import caches

from .auth import AuthBackend
from .client import Client
from .client.guarding import Common
from .conf import ClientConfig, config_for
from .engines import Engine, Rooms
from .memory import Memory
from .store import CacheStore, Identity
from .store.gate import Gate
from .store.outage import Outage
from .store.reach import Reach
from .store.rows import Rows, identity_of
from .store.seal import Seal
from .store.table import DjangoTable
from .subjects import Subjects


class Builder:
    """Builds the clients of one process as settings stand; they share what it owns."""

    def __init__(self) -> None:
        self._outages: dict[str, Outage] = {}
        self.seal = Seal([settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)])

    def after_fork(self) -> None:
        for outage in self._outages.values():
            outage.reset()

    def client(self, alias: str) -> Client:
        """Build one; raises UnknownClient or InvalidConfiguration."""
        config = config_for(alias)
        engine = Engine(config)

        def make(subject: str) -> Client:
            # No cycle: a subject's client goes with the last who holds it.
            auth = config.auth.for_subject(subject) if subject else config.auth
            rooms = self._rooms(config, auth, engine, gate, subject)
            return Client(config, auth, rooms, seal, subjects, common, subject)

        seal, gate, common = self.seal, self._gate(config), Common.of(config)
        subjects = Subjects(make, alias=config.alias)
        return make("")

    def _rooms(
        self, config: ClientConfig, auth: AuthBackend, engine: Engine, gate: Gate, subject: str
    ) -> Rooms:
        seal, memory = self.seal, Memory(config.memory_seconds)
        identity = self._identity(config, auth, subject)
        store = CacheStore(
            self._reach(config),
            identity,
            seal,
            time.time,
            config.memory_seconds,
            lambda: memory.offset,
            self._identity(config, config.auth, ""),
        )
        rows = self._rows(config, auth, subject) if auth.refreshes else None
        return Rooms(engine, store, rows, memory, gate)

    def _reach(self, config: ClientConfig) -> Reach:
        outage = self._outages.setdefault(config.cache, Outage(config.cache, time.time))
        return Reach(lambda: caches[config.cache], outage)

    def _gate(self, config: ClientConfig) -> Gate:
        # Not the credentials: two versions of the settings call the same API.
        identity = Identity(config.alias, "", self.seal.mark([config.alias, config.base_url], 32))
        limits = config.rate_limit, config.max_in_flight
        return Gate(self._reach(config), identity, self.seal, *limits)

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
