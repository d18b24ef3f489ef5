"""Engines carry out the steps of a flow: they do the I/O."""

from .driver import Rooms, run
from .outgoing import Outgoing
from .sessions import RequestsEngine

__all__ = ["Outgoing", "RequestsEngine", "Rooms", "run"]
