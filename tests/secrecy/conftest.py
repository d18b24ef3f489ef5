"""A cage of canaries, a parrot, and somebody who writes down what is said."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import pytest
from django.dispatch import Signal

from apiclient_app import Client, clients, signals
from tests.conftest import Configure

from .canaries import Canaries
from .holders import HOLDERS, client
from .parrot import Parrot, perched
from .witnesses import Call, Everything, Told, caught, reported, told_by, ways_of

ONE_IN = 12
SIGNALS = [signal for signal in vars(signals).values() if isinstance(signal, Signal)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most combinations with a holder to `make chaos`: each is tested with some other."""
    for item in items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        one_of_many = item.path.parent.name == "secrecy" and len(given) > 1
        if one_of_many and given.get("holder") in HOLDERS and crc32(item.name.encode()) % ONE_IN:
            item.add_marker("slow")


class Scene:
    """One client and its canaries, and everything that is told in its presence."""

    def __init__(self, canaries: Canaries, everything: Everything) -> None:
        self.canaries = canaries
        self.leaks: set[str] = set()
        self._everything = everything
        self._reported: set[object] = set()

    def hear(self, told: Iterable[Told], where: str = "") -> None:
        """Note each canary that is heard in it."""
        for place, text in told:
            names = self.canaries.heard_in(text)
            self.leaks |= {f"{where} {place}: {name}".strip() for name in names}

    def attempt(self, client: Client, calls: Mapping[str, Call]) -> list[BaseException]:
        """Make these calls; hear what their errors tell, and give them."""
        errors = []
        for name, call in calls.items():
            if error := caught(call, client):
                self.hear_of(error, name)
                errors.append(error)
        return errors

    def hear_of(self, error: BaseException, where: str = "") -> None:
        """Hear what an error tells; what it makes of reports once for those raised alike."""
        self.hear(told_by(error), where)
        if (ways := ways_of(error)) not in self._reported:
            self._reported.add(ways)
            logging.disable()  # or else Django's templates log what they show
            self.hear(reported(error), where)
            logging.disable(logging.NOTSET)

    def signal(self, **arguments: Any) -> None:
        self.hear([("signal", repr(arguments))])

    def heard_from(self, logger: str) -> list[str]:
        """Give what this logger has said."""
        return [str(text) for place, text in self._everything.told if place.endswith(logger)]

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
    everything = Everything()
    scene = Scene(canaries, everything)
    for signal in SIGNALS:
        signal.connect(scene.signal, weak=False)
    with hearing_all(everything):
        yield scene
    for signal in SIGNALS:
        signal.disconnect(scene.signal)
    printed = capfd.readouterr()
    assert canaries.heard_in(printed.out + printed.err) == []


@contextmanager
def hearing_all(handler: logging.Handler) -> Iterator[None]:
    """Have every logger there is say all it can, and this handler hear it."""
    named = (logging.getLogger(name) for name in logging.root.manager.loggerDict)
    before = [(logger, logger.level) for logger in (logging.root, *named)]
    deaf = [logger for logger, _level in before if not logger.propagate]
    for logger, _level in before:
        logger.setLevel(1)
    for logger in (logging.root, *deaf):
        logger.addHandler(handler)
    yield
    for logger in (logging.root, *deaf):
        logger.removeHandler(handler)
    for logger, level in before:
        logger.setLevel(level)


@pytest.fixture
def configured(canaries: Canaries, api_clients: Configure, transactional_db: None) -> Any:
    """Configure one client of this holder, that calls this origin."""

    def configure(holder: str, origin: str, **settings: Any) -> Client:
        api_clients(shop={**client(holder, origin, canaries), **settings})
        return clients["shop"]

    return configure
