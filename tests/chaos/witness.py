"""Everything that any logger of a process says, in a file."""

import logging
import os


class Witness(logging.FileHandler):
    """Writes down all that a record carries."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {vars(record)!r}"


def overhear() -> None:
    """Have this process's loggers say all they can, into the file that LOG names."""
    logging.root.addHandler(Witness(os.environ["LOG"]))
    logging.root.setLevel(logging.DEBUG)
