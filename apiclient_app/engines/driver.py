"""The sync driver: carries a flow's steps out until it returns."""

from __future__ import annotations

import time
from typing import Any, Protocol

from apiclient_app import signals
from apiclient_app.memory import Memory
from apiclient_app.steps import Announce, Ask, Flow, Send, Sleep, Step, StoreCall, Wait


class Engine(Protocol):
    """What does the I/O of calls and token requests."""

    def send(self, request: Any, token: Any) -> Any: ...

    def ask(self, request: Any) -> Any: ...


def run(flow: Flow, engine: Engine, store: Any, memory: Memory, sender: object) -> Any:
    """Drive `flow` to its end and give what it returns; raises what it raises."""
    resume, value = flow.send, None
    while True:
        try:
            step = resume(value)
        except StopIteration as stop:
            return stop.value
        try:
            value = carry_out(step, engine, store, memory, sender)
            resume = flow.send
        # KeyboardInterrupt and a task's time limit too: the flow cleans up by yielding.
        except BaseException as error:  # noqa: BLE001
            resume, value = flow.throw, error


def carry_out(step: Step, engine: Engine, store: Any, memory: Memory, sender: object) -> Any:
    match step:
        case Send(request, token):
            return engine.send(request, token)
        case StoreCall(method, arguments):
            return getattr(store, method)(*arguments)
        case Ask(request):
            return engine.ask(request)
        case Wait(version, seconds):
            return memory.wait(version, seconds)
        case Sleep(seconds):
            return time.sleep(seconds)
        case Announce(name, fields):
            return getattr(signals, name).send_robust(sender, **fields)
