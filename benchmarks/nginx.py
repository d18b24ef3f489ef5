"""An API to call: nginx on a loopback port of its own, unprivileged, with static answers."""

import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from project.valkey import HOST, free_port, guard

from .api import Api

START_SECONDS = 10.0
BIG = "big"  # the path of a large body

# One process, nothing written: what is measured is the client. Whoever brings no token is refused,
# so that every contender has to do the whole work.
CONFIG = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
worker_rlimit_nofile {connections};
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    server {{
        listen {host}:{port};
        location = /token {{
            return 200 '{{"access_token": "{token}", "expires_in": 86400}}';
        }}
        location = /api/{big} {{
            if ($http_authorization != "Bearer {token}") {{ return 401; }}
            root {folder};
        }}
        location /api/ {{
            if ($http_authorization != "Bearer {token}") {{ return 401; }}
            return 200 '{{"id": 42, "login": "octocat", "name": "Mona"}}';
        }}
    }}
}}
"""


@contextmanager
def serving(size: int, connections: int) -> Iterator[Api]:
    """Run nginx while the block lasts; it ends with this process, however that ends.

    `BIG` is so many bytes long.
    """
    port, token = free_port(), secrets.token_urlsafe(600)  # as long as a JWT
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as folder:
        config, places = Path(folder, "nginx.conf"), {"folder": folder, "host": HOST, "port": port}
        config.write_text(CONFIG.format(**places, token=token, big=BIG, connections=connections))
        sparse(Path(folder, "api", BIG), size)
        with subprocess.Popen(
            [binary(), "-c", config, "-p", folder, "-e", "stderr"], start_new_session=True
        ) as server:
            watcher = guard(server.pid)
            try:
                wait_for(port, server)
                yield Api(f"http://{HOST}:{port}/api/", token)
            finally:
                server.terminate()
                server.wait()
                watcher.kill()
                watcher.communicate()


def sparse(path: Path, size: int) -> None:
    """Make a file of zeros that takes no room on the disk."""
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(size)


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("nginx did not start: see above.") from None
            time.sleep(0.01)
        else:
            return


def binary() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise SystemExit("The benchmarks need nginx: apt-get install nginx-light")
    return found


def version() -> str:
    said = subprocess.run([binary(), "-v"], capture_output=True, text=True).stderr
    found = re.search(r"nginx/(\S+)", said)
    return found[1] if found else said.strip()
