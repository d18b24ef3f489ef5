"""The async driver: the same steps, without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from apiclient_app.changes import Changes
from apiclient_app.steps import Announce, Flow, GateCall, Send, Sleep, Step, Wait

from .driver import Rooms, carry_out


async def arun(
    flow: Flow,
    rooms: Rooms,
    sender: object,
    late: Callable[[], BaseException | None] | None = None,
) -> Any:
    """Drive `flow` to its end and give what it returns; raises what it raises.

    A caller who is cancelled goes at once; the flow is brought to its end in a thread, so that no
    lock stays behind, and a token that was asked for is kept. Of a request under way it hears what
    `late` gives, if that is why the caller goes: the API took too long.
    """
    resume: Any = flow.send
    value: Any = None
    while True:
        try:
            step = resume(value)
        except StopIteration as stop:
            return stop.value
        try:
            if type(step) is Send:
                value = await rooms.engine.asend(step.request, step.token)
            elif isinstance(step, Announce | Sleep | Wait) or _at_hand(step, rooms):
                value = await _here(step, rooms, sender)
            else:
                value = await _elsewhere(flow, step, rooms, sender)
                if isinstance(value, Gone):
                    break
            resume = flow.send
        except (asyncio.CancelledError, GeneratorExit) as error:
            why = late() if late is not None and type(step) is Send else None
            _abandon(flow, why or error, rooms, sender)
            raise
        except BaseException as error:  # noqa: BLE001
            resume, value = flow.throw, error
    raise value.why


def _at_hand(step: Step, rooms: Rooms) -> bool:
    return isinstance(step, GateCall) and rooms.gate.at_hand(step.method)


async def _here(step: Step, rooms: Rooms, sender: object) -> Any:
    match step:
        case Wait(version, seconds, on):
            return await changed(on or rooms.memory, version, seconds)
        case Sleep(seconds):
            return await asyncio.sleep(seconds)
        case _:
            return carry_out(step, rooms, sender)


class Gone:
    """The caller was cancelled, and the flow is in other hands."""

    def __init__(self, why: BaseException) -> None:
        self.why = why


async def _elsewhere(flow: Flow, step: Step, rooms: Rooms, sender: object) -> Any:
    desk = rooms.engine.desk
    future = desk.carry_out(step, rooms, sender)
    try:
        # Shielded, or else a cancelled caller would cancel it behind our back.
        return await asyncio.shield(asyncio.wrap_future(future))
    except (asyncio.CancelledError, GeneratorExit) as error:
        desk.leave(flow, future, rooms, sender, error)
        return Gone(error)


def _abandon(flow: Flow, error: BaseException, rooms: Rooms, sender: object) -> None:
    """Tell the flow that its caller has gone, and see to it that it can clean up."""
    try:
        step = flow.throw(error)
    except BaseException:  # noqa: BLE001  # that was all
        return
    rooms.engine.desk.clean_up(flow, step, rooms, sender)


async def changed(what: Changes, version: int, seconds: float) -> None:
    """Wait until it has changed since `version`, at most `seconds`."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def done() -> None:
        if not future.done():
            future.set_result(None)

    def ring() -> None:
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(done)

    with what.watched(ring):
        if what.version == version:
            await asyncio.wait([future], timeout=seconds)
