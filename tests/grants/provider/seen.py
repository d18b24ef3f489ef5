"""What the provider writes down: every token request and how it was answered."""

import json
import time
from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import Any

from django.http import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest], HttpResponse]

# In memory: the provider is one process with many threads.
asked: list[dict[str, Any]] = []
_lock = Lock()


def journal(answer: Answer) -> Answer:
    """Middleware: note token requests, and with which refresh token they were made."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path == "/o/token/":
            refresh_token = request.POST.get("refresh_token", "")
            entry = {
                "at": time.time(),
                "refresh_token": sha256(refresh_token.encode()).hexdigest(),
                "status": response.status_code,
                "error": json.loads(response.content).get("error", ""),
            }
            with _lock:
                asked.append(entry)
        return response

    return middleware
