"""The sync driver for a call with a deadline: nothing that waits is waited for any longer."""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import Any

from apiclient_app.exceptions import DeadlineExceeded
from apiclient_app.steps import Ask, Flow, GateCall, Send, Sleep, Wait

from .driver import Interrupted, Rooms, carry_out
from .outgoing import Outgoing


def run_until(flow: Flow, rooms: Rooms, sender: object, outgoing: Outgoing) -> Any:
    """Drive `flow` to its end as `run` does, or to the deadline of its call.

    A token request goes on in its thread then, and what it gives is kept. The cache and the
    database have timeouts of their own. The flow is interrupted: it must not take DeadlineExceeded
    for what the token endpoint answered.
    """
    resume: Any = flow.send
    value: Any = None
    left: BaseException | None
    while True:
        try:
            step = resume(value)
        except StopIteration as stop:
            return stop.value
        except Interrupted:
            left = too_late(rooms, outgoing)
            break
        try:
            kind = type(step)
            if kind is Send:
                value = rooms.engine.send(step.request, step.token)
            elif kind is GateCall:
                value = getattr(rooms.gate, step.method)(*step.args)
            elif kind is Ask:
                future = rooms.engine.desk.carry_out(step, rooms, sender)
                left = _awaited(flow, future, rooms, sender, outgoing)
                if left is not None:
                    break
                value = future.result()
            elif kind is Sleep or kind is Wait:
                value = None
                _slept(step, rooms, outgoing)
            else:
                value = carry_out(step, rooms, sender)
            resume = flow.send
        # KeyboardInterrupt and a task's time limit too: the flow cleans up by yielding.
        except BaseException as error:  # noqa: BLE001
            resume, value = flow.throw, error
    raise left


def _slept(step: Sleep | Wait, rooms: Rooms, outgoing: Outgoing) -> None:
    seconds = min(step.seconds, max(0.0, outgoing.remaining()))
    if isinstance(step, Sleep):
        rooms.sleep(seconds)
    else:
        rooms.wait(step, seconds)
    if outgoing.remaining() <= 0:
        raise Interrupted


def _awaited(
    flow: Flow,
    future: Future[Any],
    rooms: Rooms,
    sender: object,
    outgoing: Outgoing,
) -> BaseException | None:
    """Wait for a token request; give what to raise where others are to bring it to its end."""
    why: BaseException
    gone: BaseException = Interrupted()
    try:
        remaining = outgoing.remaining()
        done = wait([future], None if remaining > 1e9 else max(0.0, remaining)).done
        if done:
            return None
        why = too_late(rooms, outgoing)
    except BaseException as error:  # noqa: BLE001
        why = gone = error
    rooms.engine.desk.leave(flow, future, rooms, sender, gone)
    return why


def too_late(rooms: Rooms, outgoing: Outgoing) -> DeadlineExceeded:
    """Make the error for a call whose time is over."""
    error: DeadlineExceeded = rooms.engine.faults.too_late(outgoing.prepared, outgoing.deadline)
    error.sent = outgoing.deadline is not None and outgoing.deadline.sent
    return error
