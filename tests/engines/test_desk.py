"""What is left to the desk is brought to its end, however busy it is."""

import threading
from typing import Any

import pytest

from apiclient_app.engines.desk import Desk
from apiclient_app.engines.driver import Rooms
from apiclient_app.memory import Memory
from apiclient_app.steps import Flow, StoreCall


class Store:
    """Notes which of its steps are done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def acquire(self) -> None:
        self.done.append("acquire")

    def release(self) -> None:
        self.done.append("release")


def holding() -> Flow:
    try:
        yield StoreCall("acquire")
        yield StoreCall("work")
    finally:
        yield StoreCall("release")


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_lock_is_released_also_if_its_release_was_waiting_for_a_thread(steps: int) -> None:
    store, desk, gate = Store(), Desk(threads=1), threading.Event()
    rooms = Rooms(engine=None, store=store, rows=None, memory=Memory(5))
    flow = holding()
    step: Any = next(flow)
    for _ in range(steps - 1):
        step = flow.throw(LookupError()) if step.method == "work" else flow.send(None)
    desk.submit(gate.wait)
    future = desk.carry_out(step, rooms, None)

    desk.leave(flow, future, rooms, None, KeyboardInterrupt())
    gate.set()
    desk.submit(int).result()
    desk.submit(int).result()

    assert store.done[-1] == "release"
