"""A call on its way out: a prepared request and how to send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.utils import rewind_body

from apiclient_app.auth import AuthBackend


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`prepared` is unsigned, and `auth` signs it; `options` go to `Session.send`: timeout, …"""

    prepared: requests.PreparedRequest
    auth: AuthBackend
    options: Mapping[str, Any] = field(repr=False)

    def rewind(self) -> bool:
        """Make the body ready to be sent again; False for one that can be read only once."""
        body: object = self.prepared.body
        if body is None or isinstance(body, str | bytes):
            return True
        if not isinstance(getattr(self.prepared, "_body_position", None), int):
            return False
        try:
            rewind_body(self.prepared)
        except requests.exceptions.UnrewindableBodyError:
            return False
        return True
