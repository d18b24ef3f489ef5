"""Everything that any logger of a process says, in a file."""

import logging
import os


class Witness(logging.Handler):
    """Writes down all that a record carries.

    At once, without a buffer: the lock of a file's buffer, which logging.FileHandler has, does
    not outlive a fork at a moment when another thread writes (Python mends that of the handler).
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {vars(record)!r}"

    def emit(self, record: logging.LogRecord) -> None:
        os.write(self._file, f"{self.format(record)}\n".encode())


def overhear() -> None:
    """Have this process's loggers say all they can, into the file that LOG names."""
    logging.root.addHandler(Witness(os.environ["LOG"]))
    logging.root.setLevel(logging.DEBUG)
