"""What a process of the suite does all the time: it calls, in every way there is."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, NamedTuple

# Whose tokens are used: the application's own, some by subject, some by refresh tokens.
TARGETS = (("api", ""), ("api", "ann"), ("crm", "ann"), ("api", "bob"), ("crm", "bob"))
GATHERED, SPELL = 4, 2.5  # calls of one map; and how much rarer it is than a single call
TASKS = 2  # of a loop, beside the one that maps
PATIENCE = 40.0  # seconds in which every call must have come to an end

now = time.time  # the true one, also where the process has another


class Target(NamedTuple):
    alias: str
    subject: str

    @property
    def client(self) -> Any:
        from apiclient_app import clients

        found: Any = clients[self.alias]
        return found.for_subject(self.subject) if self.subject else found

    def end(self, response: Any) -> int | str:
        """Give what came of a call: 200, or what came instead."""
        if isinstance(response, BaseException):
            return f"{type(response).__name__}: {response}"
        named = response.json()["subject"]
        return 200 if named == self.subject else f"WrongSubject: {named!r}, not {self.subject!r}"


class Ledger:
    """Where what becomes of a call is a line at once, so that it outlives its process."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def note(self, how: str, target: Target, at: float, response: Any) -> None:
        line = [os.getpid(), how, *target, at, now() - at, target.end(response)]
        os.write(self._file, f"{json.dumps(line)}\n".encode())

    def close(self) -> None:
        os.close(self._file)


def answers(how: str, target: Target) -> list[Any]:
    """Call in one of the ways that sync code has; give what came, or the error in its place."""
    try:
        if how == "map":
            calls = ["whose"] * GATHERED
            return list(target.client.map(calls, ordered=False, return_exceptions=True))
        if how == "aget":
            return [asyncio.run(target.client.aget("whose"))]
        return [target.client.get("whose")]
    except Exception as error:  # noqa: BLE001  # whatever it is, the test shall see it
        return [error]


@dataclass
class Load:
    """The callers of one process. Each makes `turns` calls, or as many as there is time for."""

    ledger: str
    threads: int
    every: float
    turns: int = 0
    begins: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._ledger = Ledger(self.ledger)
        crew: list[Callable[[], None]] = [partial(self._call, n) for n in range(self.threads)]
        self._crew = [
            threading.Thread(target=work, daemon=True)
            for work in (*crew, self._map, lambda: asyncio.run(self._await_all()))
        ]
        for thread in self._crew:
            thread.start()

    def stop(self) -> int:
        """End the calling; give how many callers did not come back."""
        self.over.set()
        return self.wait()

    def wait(self) -> int:
        deadline = time.monotonic() + PATIENCE
        for thread in self._crew:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._ledger.close()
        return sum(thread.is_alive() for thread in self._crew)

    def _pauses(self, every: float, phase: float) -> Iterator[float]:
        """Give how long to wait before each turn of a caller."""
        due = self.begins + (0.0 if self.turns else phase * every)
        for turn in count():
            if self.over.is_set() or (self.turns and turn >= self.turns):
                return
            yield max(0.0, due - now())
            due = max(due + every, now())  # who was held up does not make up for it

    def _call(self, number: int) -> None:
        target = Target(*TARGETS[number % len(TARGETS)])
        for pause in self._pauses(self.every, number / self.threads):
            if self.over.wait(pause):
                return
            self._make("get", target)

    def _map(self) -> None:
        for turn, pause in enumerate(self._pauses(self.every * SPELL, 0.5)):
            if self.over.wait(pause):
                return
            self._make("map", Target(*TARGETS[turn % len(TARGETS)]))

    def _make(self, how: str, target: Target) -> None:
        at = now()
        for response in answers(how, target):
            self._ledger.note(how, target, at, response)

    async def _await_all(self) -> None:
        await asyncio.gather(self._amap(), *(self._acall(n) for n in range(TASKS)))

    async def _acall(self, number: int) -> None:
        target = Target(*TARGETS[number % len(TARGETS)])
        for pause in self._pauses(self.every, number / TASKS):
            await asyncio.sleep(pause)
            at, response = now(), None
            try:
                response = await target.client.aget("whose")
            except Exception as error:  # noqa: BLE001
                response = error
            self._ledger.note("aget", target, at, response)

    async def _amap(self) -> None:
        for turn, pause in enumerate(self._pauses(self.every * SPELL, 0.0)):
            await asyncio.sleep(pause)
            at, target = now(), Target(*TARGETS[turn % len(TARGETS)])
            made = target.client.amap(["whose"] * GATHERED, return_exceptions=True)
            async with aclosing(made) as responses:
                async for response in responses:
                    self._ledger.note("amap", target, at, response)
