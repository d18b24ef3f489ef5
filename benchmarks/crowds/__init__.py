"""Ways to make many calls at once, each the way people write it. Add a peer to a module's list."""

from . import coroutines, multi, ours, threads
from .crowd import Crowd, expect, in_turn, turn

CROWDS = [*ours.CROWDS, *threads.CROWDS, *coroutines.CROWDS, *multi.CROWDS]

__all__ = ["CROWDS", "Crowd", "expect", "in_turn", "turn"]
