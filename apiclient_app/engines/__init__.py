"""Engines carry out the steps of a flow: they do the I/O."""

from .async_driver import arun
from .driver import Rooms, run
from .engine import Engine
from .in_time import run_until, too_late
from .outgoing import Outgoing

__all__ = ["Engine", "Outgoing", "Rooms", "arun", "run", "run_until", "too_late"]
