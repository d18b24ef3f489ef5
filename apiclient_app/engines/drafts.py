"""From the keyword arguments of a call to a prepared request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import requests
from requests.models import PreparedRequest

from apiclient_app.auth import AuthBackend
from apiclient_app.conf import ClientConfig
from apiclient_app.exceptions import InvalidRequest
from apiclient_app.secret import one_line

from .environment import Session
from .headers import check_given
from .outgoing import Outgoing, copied, plainly

METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Z-]+")  # RFC 9110 section 5.6.2
# What requests would send as it stands: nothing to quote, no segment to resolve, no IDNA.
SIMPLE_URL = re.compile(
    r"https?://[a-z0-9.-]+(:[1-9][0-9]*)?/[A-Za-z0-9_~-][A-Za-z0-9_.~/=-]*(\?[A-Za-z0-9_.~/=&-]+)?\Z"
)
SIMPLE_ARGUMENTS = frozenset(
    {"params", "json", "data", "headers", "timeout", "stream", "allow_redirects"}
)
BODILESS = ("GET", "HEAD")


def unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the request alone: as `auth=`, it keeps a .netrc from adding credentials."""
    return request


class Drafts:
    """Prepares the requests of one client. Most calls differ from the one before in their path
    only, and are made from a template; the others are prepared by requests itself."""

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self._headers: Any = None
        self._environment: tuple[int, dict[str, Any]] = (0, {})

    def prepare(
        self,
        session: requests.Session,
        method: str,
        url: str,
        arguments: dict[str, Any],
        auth: AuthBackend,
        subject: str,
    ) -> Outgoing:
        if type(session) is Session and (not arguments or arguments.keys() <= SIMPLE_ARGUMENTS):
            simple = self._from_template(session, method, url, **arguments)
            if simple is not None:
                return Outgoing(simple[0], auth, simple[1], subject)
        prepared, options = self._by_requests(session, method, url, **arguments)
        return Outgoing(prepared, auth, options, subject)

    def _from_template(
        self,
        session: Session,
        method: str,
        url: str,
        *,
        params: Any = None,
        json: Any = None,
        data: Any = None,
        headers: Any = None,
        timeout: Any = ...,
        stream: bool | None = None,
        allow_redirects: bool = True,
    ) -> tuple[requests.PreparedRequest, dict[str, Any]] | None:
        """Give what `_by_requests` would; None where that is not certain."""
        version, jar = session.variables.look(), cast(Any, session.cookies)
        full = _simple(url, params)
        if not version or not full or jar._cookies or not known(method):
            return None
        if self._environment[0] != version:
            self._learn(session, version)
        prepared = PreparedRequest.__new__(PreparedRequest)
        prepared.__dict__ = {
            "method": method,
            "url": full,
            "headers": copied(self._headers),
            "body": None,
            "hooks": {"response": []},
            "_cookies": None,
            "_body_position": None,
        }
        if headers is not None and not _added(prepared.headers, headers):
            return None
        if method not in BODILESS or data is not None or json is not None:
            prepared.prepare_body([] if data is None else data, None, json)
        return prepared, self._how(timeout, stream, allow_redirects)

    def _how(self, timeout: Any, stream: bool | None, allow_redirects: bool) -> dict[str, Any]:
        options = self._environment[1]
        if stream is None and timeout is ... and allow_redirects:
            return options  # not a copy: nobody writes to it
        options = {**options, "allow_redirects": allow_redirects}
        if stream is not None:
            options["stream"] = stream
        if timeout is not ...:
            options["timeout"] = timeout
        return options

    def _learn(self, session: Session, version: int) -> None:
        """Take from requests what it makes of the environment, and of a request without body."""
        prepared, options = self._by_requests(session, "GET", self.config.base_url)
        self._headers = plainly(prepared.headers)
        self._environment = (version, options)

    def _by_requests(
        self,
        session: requests.Session,
        method: str,
        url: str,
        *,
        headers: Any = None,
        auth: Any = None,
        timeout: Any = ...,
        allow_redirects: bool = True,
        proxies: Any = None,
        stream: bool | None = None,
        verify: Any = None,
        cert: Any = None,
        **content: Any,
    ) -> tuple[requests.PreparedRequest, dict[str, Any]]:
        config = self.config
        if not METHOD.fullmatch(method):
            raise InvalidRequest(
                f"{config.alias}: {one_line(method, 40)!r} is not a method; nothing was sent.",
                alias=config.alias,
            )
        if config.headers:
            headers = {**config.headers, **(headers or {})}
        if isinstance(headers, Mapping):
            check_given(headers)
        if auth is None and not session.auth:
            auth = unsigned
        request = requests.Request(method, url, headers=headers, auth=auth, **content)
        prepared = session.prepare_request(request)
        if verify is None and config.verify is not True:
            verify = config.verify
        if not verify and verify is not None and verify is not False:
            raise InvalidRequest(
                f"{config.alias}: verify is empty, with which requests verifies nothing; give "
                "True, False, or the path of a CA bundle.",
                alias=config.alias,
            )
        proxies = {**(config.proxies or {}), **(proxies or {})}
        options: dict[str, Any] = {
            **session.merge_environment_settings(
                str(prepared.url), proxies, stream, verify, cert or config.cert
            )
        }
        options["timeout"] = config.timeout if timeout is ... else timeout
        options["allow_redirects"] = allow_redirects
        return prepared, options


def known(method: str) -> bool:
    return method in BODILESS or METHOD.fullmatch(method) is not None


def _simple(url: str, params: Any) -> str:
    """Give the URL with `params`, if requests would make the same of it; else nothing."""
    if not SIMPLE_URL.match(url) or "/." in url:
        return ""
    if params is None:
        return url
    if "?" in url or not isinstance(params, dict):
        return ""
    query = PreparedRequest._encode_params(params)
    return f"{url}?{query}" if query else url


def _added(headers: Any, given: Any) -> bool:
    """Add a caller's headers as requests does; False for what only requests should look at."""
    if not isinstance(given, Mapping):
        return False
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str | bytes):
            return False
        check_given({name: value})
        headers[name] = value
    return True
