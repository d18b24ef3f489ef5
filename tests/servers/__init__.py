"""A provider that tests script, in a process of its own; see `handle.Handle`."""

from .handle import Handle, running
from .http import Reply

__all__ = ["Handle", "Reply", "running"]
