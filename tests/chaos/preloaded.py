"""What a process does before it forks others: it has the settings of a worker, and calls."""

import json
import os

from .load import TARGETS, Load, Target, answers, now

THREADS, EVERY = 5, 0.4


def configure() -> None:
    """Take the settings from the environment, as a worker takes them from its first line."""
    from django.conf import settings

    for name, value in json.loads(os.environ["SETTINGS"]).items():
        setattr(settings, name, value)


def call_all_the_time() -> None:
    """Call as a worker does, so that a renewal of ours is often under way when others are forked.

    The threads end with the process; those that it forks have none of them. The first calls are
    made here: a module that a thread imports at the moment of a fork is locked for ever in the
    new process (Python's import locks are), whoever imports it.
    """
    for how in ("get", "map", "aget"):
        answers(how, Target(*TARGETS[0]))
    Load(os.environ["LEDGER"], THREADS, EVERY, begins=now()).start()
