"""A cage of canaries, a parrot, and somebody who writes down what is said."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from django.dispatch import Signal

from apiclient_app import Client, clients, signals
from tests.conftest import Configure

from .canaries import Canaries
from .holders import client
from .parrot import Parrot, perched
from .witnesses import Call, Everything, Told, caught, reported, told_by

SIGNALS = [signal for signal in vars(signals).values() if isinstance(signal, Signal)]


class Scene:
    """One client and its canaries, and everything that is told in its presence."""

    def __init__(self, canaries: Canaries, everything: Everything) -> None:
        self.canaries = canaries
        self.leaks: set[str] = set()
        self._everything = everything

    def hear(self, told: Iterable[Told], where: str = "") -> None:
        """Note each canary that is heard in it."""
        for place, text in told:
            names = self.canaries.heard_in(text)
            self.leaks |= {f"{where} {place}: {name}".strip() for name in names}

    def attempt(self, client: Client, calls: Mapping[str, Call]) -> list[Exception]:
        """Make these calls; hear what their errors tell, and give them."""
        errors = []
        for name, call in calls.items():
            if error := caught(call, client):
                self.hear(told_by(error), name)
                errors.append(error)
        for kind in {type(error): error for error in errors}.values():
            self.hear(reported(kind))
        return errors

    def signal(self, **arguments: Any) -> None:
        self.hear([("signal", repr(arguments))])

    def all_leaks(self) -> list[str]:
        self.hear(self._everything.told)
        return sorted(self.leaks)


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def parrot(canaries: Canaries) -> Iterator[Parrot]:
    with perched(canaries) as parrot:
        yield parrot


@pytest.fixture
def scene(canaries: Canaries, capfd: pytest.CaptureFixture[str]) -> Iterator[Scene]:
    everything, root = Everything(), logging.getLogger()
    scene, level = Scene(canaries, everything), root.level
    root.addHandler(everything)
    root.setLevel(1)
    for signal in SIGNALS:
        signal.connect(scene.signal, weak=False)
    yield scene
    for signal in SIGNALS:
        signal.disconnect(scene.signal)
    root.setLevel(level)
    root.removeHandler(everything)
    printed = capfd.readouterr()
    assert canaries.heard_in(printed.out + printed.err) == []


@pytest.fixture
def configured(canaries: Canaries, api_clients: Configure) -> Any:
    """Configure one client of this holder, that calls this origin."""

    def configure(holder: str, origin: str, **settings: Any) -> Client:
        api_clients(shop={**client(holder, origin, canaries), **settings})
        return clients["shop"]

    return configure
