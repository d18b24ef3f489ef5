"""The sync driver: carries a flow's steps out until it returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from apiclient_app import signals
from apiclient_app.memory import Memory
from apiclient_app.steps import (
    Announce,
    Ask,
    Flow,
    GateCall,
    RowCall,
    Send,
    Sleep,
    Step,
    StoreCall,
    Wait,
)

LONG = (Send, Ask, Sleep, Wait)


@dataclass(frozen=True, slots=True)
class Rooms:
    """Where a flow's steps are carried out. `rows` is None where no refresh token is kept, and
    `over` is set when nobody wants the result any more."""

    engine: Any
    store: Any
    rows: Any
    memory: Memory
    gate: Any = None
    over: Event | None = None

    def sleep(self, seconds: float) -> None:
        """Let time pass; Interrupted when it is over meanwhile."""
        if self.over is None:
            time.sleep(seconds)
        elif self.over.wait(seconds):
            raise Interrupted

    def wait(self, step: Wait, seconds: float) -> None:
        """Wait for what the step waits for; Interrupted when it is over meanwhile."""
        (step.on or self.memory).wait(step.version, seconds)
        if self.over is not None and self.over.is_set():
            raise Interrupted


class Interrupted(BaseException):
    """Whoever wanted the result wants it no more: no error of any call, nor anybody's answer."""


def run(flow: Flow, rooms: Rooms, sender: object) -> Any:
    """Drive `flow` to its end and give what it returns; raises what it raises."""
    return carry_on(flow, flow.send, None, rooms, sender)


def carry_on(
    flow: Flow,
    resume: Callable[[Any], Any],
    value: Any,
    rooms: Rooms,
    sender: object,
    pending: BaseException | None = None,
) -> Any:
    """Drive `flow` from where it is. An interruption that is `pending` is raised where the flow
    would have to wait, or in the end: what was asked for by then has been kept."""
    while True:
        try:
            step = resume(value)
        except StopIteration as stop:
            value = stop.value
            break
        except BaseException:
            if pending is None:
                raise
            break
        try:
            if pending is not None and isinstance(step, LONG):
                interruption, pending = pending, None
                raise interruption
            if isinstance(step, Ask) and step.shielded:
                value, pending = rooms.engine.ask_through(step.request, step.until)
                if isinstance(value, BaseException):
                    raise value
            else:
                value = carry_out(step, rooms, sender)
            resume = flow.send
        # KeyboardInterrupt and a task's time limit too: the flow cleans up by yielding.
        except BaseException as error:  # noqa: BLE001
            resume, value = flow.throw, error
    if pending is not None:
        raise pending
    return value


def carry_out(step: Step, rooms: Rooms, sender: object) -> Any:
    match step:
        case Send(request, token):
            return rooms.engine.send(request, token)
        case GateCall(method, arguments):
            return getattr(rooms.gate, method)(*arguments)
        case StoreCall(method, arguments):
            return getattr(rooms.store, method)(*arguments)
        case RowCall(method, arguments):
            return getattr(rooms.rows, method)(*arguments)
        case Ask(request, until):
            return rooms.engine.ask(request, until)
        case Wait():
            return rooms.wait(step, step.seconds)
        case Sleep(seconds):
            return rooms.sleep(seconds)
        case Announce(name, fields):
            return getattr(signals, name).send_robust(sender, **fields)
