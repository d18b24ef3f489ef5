"""Settings as texts for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from apiclient_app.auth import AuthBackend, Secret
from apiclient_app.auth.base import plain
from apiclient_app.secret import MASK, SENSITIVE_NAME, mask_url

from .keys import KEYS
from .reading import proxy_url

HARMLESS = ("_url", "_path", "_errors", "_auth", "_unit", "_audience")


def masked_settings(source: Mapping[str, Any], auth: AuthBackend, path: str) -> dict[str, str]:
    """Give setting name to text, every secret masked; options as "AUTH.client_id" and so on."""
    shown: dict[str, str] = {}
    for name, key in KEYS.items():
        if name == "AUTH":
            shown[name] = path
            options = source.get(name, {}).get("OPTIONS", {})
            shown |= {f"AUTH.{n}": masked_option(auth, n, v) for n, v in options.items()}
        elif name == "PROXIES":
            proxies = source.get(name) or {}
            shown[name] = masked_value({n: proxy_url(n, url) for n, url in proxies.items()})
        else:
            shown[name] = masked_value(source.get(name, key.default))
    return shown


def masked_option(auth: AuthBackend, name: str, value: Any) -> str:
    """Mask what the backend holds as a Secret, and what is named like one."""
    if value is None:
        return ""
    held = getattr(auth, name, value)
    if isinstance(held, Secret) or (SENSITIVE_NAME.search(name) and not _harmless(name)):
        return json.dumps(dict.fromkeys(value, MASK)) if isinstance(value, Mapping) else MASK
    return masked_value(value)


def _harmless(name: str) -> bool:
    """Whether an option only sounds like a secret: token_url, token_path, client_auth, …"""
    return name == "key_id" or name.endswith(HARMLESS)


def masked_value(value: Any) -> str:
    if isinstance(value, Mapping):
        kept = {
            str(n): MASK if SENSITIVE_NAME.search(str(n)) else masked_value(v)
            for n, v in value.items()
        }
        return json.dumps(kept) if kept else ""
    if isinstance(value, str):
        return mask_url(value) if "://" in value or "?" in value else value
    if isinstance(value, list | tuple | set):
        return ", ".join(masked_value(item) for item in value)
    if callable(value):
        return str(plain(getattr(value, "__qualname__", value)))
    return "" if value is None else str(value)
