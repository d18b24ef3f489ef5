"""From libcurl's error codes to the exceptions of requests."""

from __future__ import annotations

import pycurl
import requests
from requests import exceptions

from apiclient_app.engines.faults import Unconnected, oversized

from .routes import proxy_of
from .transfers import Transfer

# pycurl has no names for some of them: PROXY, HTTP2_STREAM, PEER_FAILED_VERIFICATION.
TLS = (
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_SSL_CACERT,
    60,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_SSL_CIPHER,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_ISSUER_ERROR,
    pycurl.E_SSL_PINNEDPUBKEYNOTMATCH,
)
PROXY = (pycurl.E_COULDNT_RESOLVE_PROXY, 97)
BROKEN_OFF = (pycurl.E_PARTIAL_FILE, 92)
TOO_LONG = (pycurl.E_FILESIZE_EXCEEDED, pycurl.E_WRITE_ERROR)
NOT_HTTP = (pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY)
STUCK = -1  # our own: nothing came within the read timeout
DEAD = -2  # and: something was raised where libcurl called us, which broke off all


def fault(transfer: Transfer, code: int, text: str) -> requests.RequestException:
    """Give what requests would raise."""
    error = _fault(transfer, code, text)
    error.request = transfer.request
    return error


def _fault(transfer: Transfer, code: int, text: str) -> requests.RequestException:
    if transfer.unsent():
        return _before(code, text, proxied=bool(proxy_of(*transfer.way())))
    if code in (STUCK, pycurl.E_OPERATION_TIMEDOUT):
        return exceptions.ReadTimeout(text)
    if code in TLS:
        return exceptions.SSLError(text)
    if code in TOO_LONG:
        return oversized(transfer.limit)
    if code in NOT_HTTP:
        return exceptions.ConnectionError(text)
    if code in BROKEN_OFF or transfer.lines:
        return exceptions.ChunkedEncodingError(text)
    return exceptions.ConnectionError(text)


def _before(code: int, text: str, proxied: bool) -> requests.RequestException:
    """Give the error for a request of which nothing was sent."""
    detail = Unconnected(text)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return exceptions.ConnectTimeout(detail)
    if code in TLS:
        return exceptions.SSLError(detail)
    if proxied or code in PROXY:
        return exceptions.ProxyError(detail)
    if code in (pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL):
        return exceptions.InvalidURL(text)
    return exceptions.ConnectionError(detail)
