"""The libcurl engine. Imported when it is used first, since it needs pycurl."""

from .transport import Transport

__all__ = ["Transport"]
