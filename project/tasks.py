import os
from typing import Any

from apiclient_app import clients

from .celery import app


@app.task
def planet(name: str) -> dict[str, Any]:
    """Give one planet, and the id of the process that asked for it."""
    found: dict[str, Any] = clients["planets"].call("planet", name=name).json()
    return found | {"process": os.getpid()}
