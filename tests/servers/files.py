"""A server of one file, in this process: with ranges and validators, and breaking off to order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = 65_536


@dataclass
class Files:
    """What to serve, and how. `breaks` are the bytes to send before each of the next answers ends
    (None: all); `refusals` are statuses that come before any other answer."""

    origin: str = ""
    body: bytes = b""
    etag: str | None = '"one"'
    modified: str | None = None
    ranges: bool = True
    heeds_if_range: bool = True
    length: str = "length"  # or "chunked", or "none": the end of the connection
    breaks: list[int | None] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    content_range: str | None = None
    pause: threading.Event | None = None  # waited for after the first byte
    asked: list[dict[str, str]] = field(default_factory=list)
    open: int = 0  # connections

    @property
    def ranges_asked(self) -> list[str | None]:
        return [headers.get("range") for headers in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: Files

    def setup(self) -> None:
        super().setup()
        self.files.open += 1

    def finish(self) -> None:
        self.files.open -= 1
        with suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        files = self.files
        asked = {name.lower(): value for name, value in self.headers.items()}
        files.asked.append({**asked, "path": self.path})
        if files.refusals:
            self.refuse(files.refusals.pop(0))
            return
        first = self.first(asked)
        if first is not None and first >= len(files.body):
            self.refuse(416, {"Content-Range": f"bytes */{len(files.body)}"})
            return
        self.head(first)
        stop = files.breaks.pop(0) if files.breaks else None
        self.send(files.body[first or 0 :], stop)

    def first(self, asked: dict[str, str]) -> int | None:
        """Give where the range begins that is to be sent, if it is not all."""
        if not self.files.ranges or "range" not in asked:
            return None
        validators = (self.files.etag, self.files.modified, None)
        if self.files.heeds_if_range and asked.get("if-range") not in validators:
            return None
        return int(asked["range"].removeprefix("bytes=").partition("-")[0])

    def refuse(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def head(self, first: int | None) -> None:
        files, size = self.files, len(self.files.body)
        self.send_response(200 if first is None else 206)
        if first is not None:
            told = files.content_range or f"bytes {first}-{size - 1}/{size}"
            self.send_header("Content-Range", told)
        for name, value in (("ETag", files.etag), ("Last-Modified", files.modified)):
            if value is not None:
                self.send_header(name, value)
        for name, value in files.headers.items():
            self.send_header(name, value)
        if files.length == "length":
            self.send_header("Content-Length", str(size - (first or 0)))
        elif files.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        self.end_headers()

    def send(self, body: bytes, stop: int | None) -> None:
        pause, sent = self.files.pause, 0
        while sent < len(body) and (stop is None or sent < stop):
            size = 1 if pause and not sent else PIECE
            piece = body[sent : sent + size if stop is None else min(sent + size, stop)]
            chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
            self.wfile.write(chunk if self.files.length == "chunked" else piece)
            sent += len(piece)
            if pause and sent == 1:
                pause.wait(30)
        if stop is not None:
            self.close_connection = True
        elif self.files.length == "chunked":
            self.wfile.write(b"0\r\n\r\n")


def dated(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)


@contextmanager
def serving() -> Iterator[Files]:
    files = Files()
    handler = type("FilesHandler", (Handler,), {"files": files})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    files.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield files
    finally:
        if files.pause:
            files.pause.set()
        server.shutdown()
        thread.join()
        server.server_close()
