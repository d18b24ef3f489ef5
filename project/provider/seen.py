"""What the provider counts: the figures in the demo's story are these, not the callers' own."""

from collections import Counter
from collections.abc import Callable
from threading import Lock

from django.http import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest], HttpResponse]

# In memory: the provider is one process with many threads (see `project.demo.fleet`).
_counts: Counter[str] = Counter()
_lock = Lock()


def counting(answer: Answer) -> Answer:
    """Middleware: count token requests, and API calls by how they were answered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path == "/o/token/":
            count("token_requests")
        elif request.path.startswith("/api/"):
            count("calls", f"calls_{response.status_code}")
        return response

    return middleware


def count(*names: str) -> None:
    with _lock:
        _counts.update(names)


def seen() -> dict[str, int]:
    """Give the counts since the provider started."""
    with _lock:
        return dict(_counts)
