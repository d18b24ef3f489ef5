"""Token replies, built in one line."""

import json
from typing import Any

from apiclient_app.auth import Reply

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


def reply(
    document: Any = None, status: int = 200, body: bytes | None = None, **headers: str
) -> Reply:
    """Give what an endpoint answered at `NOW`."""
    content = json.dumps(document).encode() if body is None else body
    return Reply(status, {n.replace("_", "-"): v for n, v in headers.items()}, content, NOW, NOW)
