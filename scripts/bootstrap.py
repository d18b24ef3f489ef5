"""Make a virtual environment with everything in a requirements file.

Usage: bootstrap.py DIRECTORY REQUIREMENTS

Needs a Python and a package index, nothing else: where the Python comes without `ensurepip`,
as on Debian without python3-venv, pip itself is fetched from the index that pip is configured
to use.
"""

import base64
import configparser
import hashlib
import html.parser
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import venv
from pathlib import Path

DEFAULT_INDEX = "https://pypi.org/simple"  # pip's own
PIP_WHEEL = re.compile(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl$")


def main(directory: str, requirements: str) -> None:
    venv.create(directory, symlinks=True)
    python = Path(directory, "bin", "python")
    if not (has_pip(python) or ensure_pip(python)):
        fetch_pip(python)
    pip(python, "-m", "pip", "install", "-r", requirements)


def has_pip(python: Path) -> bool:
    return subprocess.run([python, "-m", "pip", "-V"], capture_output=True).returncode == 0


def ensure_pip(python: Path) -> bool:
    words = ["-Im", "ensurepip", "--upgrade", "--default-pip"]
    return subprocess.run([python, *words], capture_output=True).returncode == 0


def fetch_pip(python: Path) -> None:
    """Run pip from inside its wheel, to install itself."""
    errors = []
    for index in indexes():
        try:
            url = newest_wheel(urllib.parse.urljoin(index.rstrip("/") + "/", "pip/"))
            wheel = download(url)
        except (OSError, ValueError) as error:
            errors.append(f"{without_credentials(index)}: {error}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, urllib.parse.urlsplit(url).path.rpartition("/")[2])
            path.write_bytes(wheel)
            pip(python, f"{path}/pip", "install", "pip")
        return
    raise SystemExit("No ensurepip, and no pip to download: " + "; ".join(errors))


def pip(python: Path, *words: str) -> None:
    options = ["-qq", "--no-input", "--disable-pip-version-check"]
    environment = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
    if subprocess.run([python, *words, *options], env=environment).returncode:
        raise SystemExit("pip could not install what is needed: see above.")


def newest_wheel(page: str) -> str:
    """The address of the newest pip that runs here, as a PEP 503 page lists it."""
    links = Links()
    links.feed(fetch(page).decode())
    wheels = {
        tuple(map(int, found[1].split("."))): urllib.parse.urljoin(page, href)
        for href, needs in links.found
        if (found := PIP_WHEEL.search(href.partition("#")[0])) and runs_here(needs)
    }
    if not wheels:
        raise ValueError("lists no pip for this Python")
    return wheels[max(wheels)]


class Links(html.parser.HTMLParser):
    """The links of a page that are not yanked, with the Python each of them needs."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and "data-yanked" not in values:
            self.found.append((values.get("href") or "", values.get("data-requires-python") or ""))


def runs_here(needs: str) -> bool:
    least = re.search(r">=\s*(\d+)\.(\d+)", needs)
    return not least or sys.version_info >= (int(least[1]), int(least[2]))


def download(url: str) -> bytes:
    url, _, fragment = url.partition("#")
    content = fetch(url)
    name, _, digest = fragment.partition("=")
    if name == "sha256" and hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"wrong sha256: {url}")
    return content


def fetch(url: str) -> bytes:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "file" and url.endswith("/"):
        url += "index.html"
    request = urllib.request.Request(without_credentials(url))
    if parts.username:
        pair = f"{parts.username}:{parts.password or ''}"
        encoded = base64.b64encode(urllib.parse.unquote(pair).encode()).decode()
        request.add_header("Authorization", f"Basic {encoded}")
    certificates = ssl.create_default_context(cafile=setting("cert") or None)
    with urllib.request.urlopen(request, timeout=60, context=certificates) as reply:
        content: bytes = reply.read()
    return content


def without_credentials(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def indexes() -> list[str]:
    return [setting("index-url") or DEFAULT_INDEX, *setting("extra-index-url").split()]


def setting(name: str) -> str:
    """What pip itself would take for an option: environment first, then its files."""
    if value := os.environ.get("PIP_" + name.upper().replace("-", "_")):
        return value
    files = configparser.RawConfigParser()
    files.read(configuration_files())
    for section in ("install", "global"):
        if value := files.get(section, name, fallback=""):
            return value
    return ""


def configuration_files() -> list[Path]:
    """pip's, the weakest first."""
    home = Path.home()
    system = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return [
        *(Path(folder, "pip", "pip.conf") for folder in reversed(system.split(":"))),
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf"),
        Path(sys.prefix, "pip.conf"),
        Path(os.environ.get("PIP_CONFIG_FILE", os.devnull)),
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
