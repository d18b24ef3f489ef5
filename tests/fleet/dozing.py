import os
import signal
from dataclasses import dataclass

from apiclient_app.auth import ClientCredentials, Grant, Reply


@dataclass(frozen=True, kw_only=True, repr=False)
class Dozing(ClientCredentials):
    """Stops its process between a reply that says so and the publication of its token."""

    def read(self, reply: Reply) -> Grant:
        if reply.json().get("doze"):
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().read(reply)
