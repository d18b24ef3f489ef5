"""From libcurl's error codes to the exceptions of requests."""

from __future__ import annotations

import pycurl
import requests
from requests import exceptions

from apiclient_app.engines.faults import Unconnected

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
BROKEN_OFF = (pycurl.E_PARTIAL_FILE, 92, pycurl.E_FTP_WEIRD_SERVER_REPLY)
STUCK = -1  # our own: nothing came within the read timeout


def fault(code: int, text: str, curl: pycurl.Curl, begun: bool) -> requests.RequestException:
    """Give what requests would raise; `begun` says whether an answer had begun to come."""
    unsent = not begun and curl.getinfo(pycurl.PRETRANSFER_TIME_T) == 0
    detail: object = Unconnected(text) if unsent else text
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return exceptions.ConnectTimeout(detail) if unsent else exceptions.ReadTimeout(detail)
    if code == STUCK:
        return exceptions.ReadTimeout(detail)
    if code in PROXY:
        return exceptions.ProxyError(detail)
    if code in TLS:
        return exceptions.SSLError(detail)
    if code == pycurl.E_BAD_CONTENT_ENCODING:
        return exceptions.ContentDecodingError(detail)
    if code in (pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL) and not begun:
        return exceptions.InvalidURL(text)
    if code in BROKEN_OFF or begun:
        return exceptions.ChunkedEncodingError(detail)
    return exceptions.ConnectionError(detail)
