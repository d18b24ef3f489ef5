"""From the bytes of a target to what an engine hands on: a status, header fields, a body.

401
WWW-Authenticate: Bearer error="invalid_token"

{"error": "invalid_token"}
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

HOME = "https://api.example/v1/"
SECRET = "hunter2-Zq7.xY+/w=="
STATUS = re.compile("[1-9][0-9]{2}")


@dataclass(frozen=True)
class Message:
    """What a server said; its text is Latin-1, as HTTP has it."""

    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes

    def response(self) -> requests.Response:
        """Give it as the answer to a request that held the secret."""
        response = requests.Response()
        response.status_code = self.status
        response.headers = self.headers
        response.encoding = get_encoding_from_headers(self.headers)
        response._content = self.body
        response._content_consumed = True
        response.reason = self.headers.get("X-Reason", "")
        response.request = asked()
        response.url = str(response.request.url)
        return response


def message(data: bytes) -> Message:
    head, _, body = data.partition(b"\n\n")
    status, *lines = head.decode("latin-1").split("\n")
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    name = ""
    for line in lines:
        if line[:1] in (" ", "\t") and name:  # folded: http.client leaves it so
            headers[name] += f"\r\n{line}"
            continue
        name, _, value = line.partition(":")
        value = value.strip(" \t\r")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Message(int(status) if STATUS.fullmatch(status) else 200, headers, body)


def asked() -> requests.PreparedRequest:
    """Give a request that holds the secret."""
    headers = {"Authorization": f"Bearer {SECRET}", "X-API-Key": SECRET}
    return requests.Request("GET", f"{HOME}things?page=2", headers=headers).prepare()
