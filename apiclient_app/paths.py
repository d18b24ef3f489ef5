"""From a path to a URL under BASE_URL, and no further."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .exceptions import ForeignOrigin, InvalidRequest

DEFAULT_PORTS = {"http": 80, "https": 443}
ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")  # not "documents:batchGet", a path
BREAK = re.compile(r"[\x00-\x1f\x7f]")
PLAIN = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~/-]*\Z")


def origin(url: str) -> tuple[str, str, int | None]:
    """Give scheme, host and port (RFC 6454); ValueError for a URL that cannot be read."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").removesuffix(".")
    return scheme, host, parts.port or DEFAULT_PORTS.get(scheme)


def join(base_url: str, path: str, alias: str) -> str:
    """Put `path` under BASE_URL's path, with or without a leading slash.

    An absolute URL is taken if it has BASE_URL's origin (what APIs give as the next page).
    Raises ForeignOrigin for what would leave: another origin, user information, dot segments.
    """
    if PLAIN.match(path) and "/." not in path and "//" not in path:  # what nearly every call is
        return f"{base_url.rstrip('/')}/{path}"
    if any(c in "\\\x7f" or ord(c) < 33 for c in path.replace(" ", "")):
        raise _refused(alias, path, "holds a backslash, a line break or a control character")
    if path.startswith("//"):
        raise _refused(alias, path, "names another host")
    if ABSOLUTE.match(path):
        return _same_origin(base_url, path, alias)
    bare = path.partition("#")[0]
    inside, mark, query = bare.partition("?")
    _stay_inside(inside, alias, path)
    root = base_url.rstrip("/")
    joined = f"{root}/{inside.lstrip('/')}" if inside else base_url
    return f"{joined}{mark}{query}"


def _same_origin(base_url: str, url: str, alias: str) -> str:
    try:
        foreign, named = origin(url) != origin(base_url), "@" in urlsplit(url).netloc
    except ValueError:
        foreign, named = True, False
    if named:
        raise _refused(alias, url, "holds user information")
    if foreign:
        raise _refused(alias, url, "has another origin than BASE_URL")
    return url


def _stay_inside(path: str, alias: str, shown: str) -> None:
    """Refuse dot segments that climb out; HTTP clients resolve them, also percent-encoded."""
    depth = 0
    for segment in unquote(path).split("/"):
        depth += -1 if segment == ".." else segment not in ("", ".")
        if depth < 0:
            raise _refused(alias, shown, "climbs out of BASE_URL's path")


def fill(template: str, values: Mapping[str, Any], alias: str) -> tuple[str, dict[str, Any]]:
    """Fill an endpoint's placeholders; give the path, and the values that were not for it.

    Values are percent-encoded, so that none can leave its path segment. Raises InvalidRequest for
    a value that is missing or empty, and ForeignOrigin for one that is a dot segment.
    """
    rest, pieces = dict(values), []
    for literal, name, _spec, _conversion in Formatter().parse(template):
        pieces.append(literal)
        if name is None:
            continue
        if name not in rest:
            raise InvalidRequest(f"{alias}: endpoint {template!r} needs {name}=.", alias=alias)
        pieces.append(_segment(rest.pop(name), name, alias))
    return "".join(pieces), rest


def sample(template: str) -> str:
    """Give a path that an endpoint may become."""
    return "".join(
        literal + ("" if name is None else "x")
        for literal, name, _, _ in Formatter().parse(template)
    )


def _segment(value: Any, name: str, alias: str) -> str:
    text = value if isinstance(value, str) else str(value)
    if value is None or not text:
        text = f"{alias}: the value for {name} is empty and would change the path."
        raise InvalidRequest(text, alias=alias)
    if text in (".", ".."):
        raise ForeignOrigin(f"{alias}: the value for {name} is a dot segment.", alias=alias)
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        text = f"{alias}: the value for {name} holds half of a surrogate pair."
        raise InvalidRequest(text, alias=alias) from None


def _refused(alias: str, path: str, why: str) -> ForeignOrigin:
    # Before "@" may be a password, and behind a control character anything.
    beginning, *rest = BREAK.split(path.partition("?")[0], maxsplit=1)
    shown = "" if "@" in "".join(rest) else beginning.rpartition("@")[2][:80]
    return ForeignOrigin(
        f"{alias}: {shown!r} {why}; nothing was sent. Give a path under API_CLIENTS[{alias!r}]"
        "['BASE_URL'], or configure a client for that host.",
        alias=alias,
    )
