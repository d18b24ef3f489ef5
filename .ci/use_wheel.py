"""Use the installed wheel as a project would that has nothing but it.

Usage: use_wheel.py WHEEL
"""

import importlib.util
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import django
from django.conf import settings
from django.core.management import call_command

OPTIONAL = ["celery", "pycurl", "pytest", "responses", "tqdm"]


class API(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Authorization"].encode())

    def log_message(self, *_: object) -> None:
        pass


def holds_the_package_alone(wheel: str) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.partition("/")[0].partition("-")[0] for name in names}
    assert roots == {"apiclient_app", "django_apiclient_app"}, roots
    for part in ("py.typed", "templates/", "migrations/"):
        assert any(name.startswith(f"apiclient_app/{part}") for name in names), part


def works_in_a_minimal_project() -> None:
    server = HTTPServer(("127.0.0.1", 0), API)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    static = {"BACKEND": "apiclient_app.auth.StaticToken", "OPTIONS": {"token": "seen"}}
    url = f"http://127.0.0.1:{server.server_port}/"
    settings.configure(
        SECRET_KEY="of-this-trial",
        INSTALLED_APPS=["apiclient_app"],
        API_CLIENTS={"trial": {"BASE_URL": url, "AUTH": static}},
    )
    django.setup()
    call_command("check")

    from apiclient_app import clients

    assert clients["trial"].get("/").text == "Bearer seen"
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    found = [name for name in OPTIONAL if importlib.util.find_spec(name)]
    assert not found, f"not an empty environment: {found}"
    holds_the_package_alone(sys.argv[1])
    works_in_a_minimal_project()
    print("The wheel works alone.")
