import os
import signal
import time
from dataclasses import dataclass

from apiclient_app.auth import ClientCredentials, Grant, Reply


@dataclass(frozen=True, kw_only=True, repr=False)
class Dozing(ClientCredentials):
    """Stops its process between a reply that says so and the publication of its token."""

    def read(self, reply: Reply) -> Grant:
        if reply.json().get("doze"):
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.5)  # it may stop other threads first, and this one goes on meanwhile
        return super().read(reply)
