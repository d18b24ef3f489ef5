"""A client's settings, examined: every problem at once, or every value ready for use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from apiclient_app.auth.options import fits
from apiclient_app.exceptions import ForeignOrigin
from apiclient_app.paths import join, sample

from .keys import KEYS, REQUIRED
from .kinds import misfits
from .numbers import amiss
from .problems import Problem, at
from .reading import READERS, auth_path
from .transit import credentials_in_clear, unusable
from .unusable import Complaint, Unusable


@dataclass(slots=True)
class Findings:
    """What an examination found: `values` are complete where there are no problems."""

    alias: Any
    source: Mapping[str, Any] = field(repr=False)
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    problems: list[Problem] = field(default_factory=list)

    def add(self, code: str, key: str, text: str, remedy: str) -> None:
        self.problems.append(Problem(code, self.alias, key, text, remedy))

    def complain(self, name: str, complaints: Iterable[Complaint]) -> None:
        for code, inner, text, remedy in complaints:
            self.add(code, at(name) + inner, text, remedy)

    @property
    def auth_path(self) -> str:
        return auth_path(self.source.get("AUTH", KEYS["AUTH"].default))


def examine(alias: Any, source: Any) -> Findings:
    """Examine the settings of one client."""
    findings = Findings(alias, source if isinstance(source, Mapping) else {})
    if not isinstance(alias, str) or not alias:
        findings.add("E001", "", "has an alias that is not a text.", "Use a text.")
    elif not isinstance(source, Mapping):
        findings.add("E001", "", "is not a dict.", "Give a dict of keys, BASE_URL at least.")
    else:
        _unknown(findings)
        for name in KEYS:
            _read(findings, name)
        if not findings.problems:
            _endpoints(findings)
            _paths(findings)
            _idempotency_key(findings)
            _plain_http(findings)
            _certificate(findings)
    return findings


def _unknown(findings: Findings) -> None:
    for name in findings.source:
        if name not in KEYS:
            remedy = f"Remove it, or use one of {', '.join(KEYS)}."
            findings.add("E002", at(str(name)), "is not a known key.", remedy)


def _read(findings: Findings, name: str) -> None:
    key = KEYS[name]
    value = findings.source.get(name, key.default)
    if value is REQUIRED:
        findings.add("E003", at(name), "is missing.", f"Add {name!r}.")
        return
    if name in findings.source and (complaints := list(misfits(value, key.kind))):
        findings.complain(name, complaints)
        return
    if key.most is not None and value is not None:
        text, remedy = amiss(value, key.most, none=fits(None, key.kind))
        if text:
            findings.add("E004", at(name), text, remedy)
            return
    if name == "CACHE" and value not in settings.CACHES:
        remedy = f"Use one of {', '.join(settings.CACHES)}, or add it to CACHES."
        findings.add("E010", at(name), "names no cache in settings.CACHES.", remedy)
    try:
        findings.values[name] = READERS[name](value) if name in READERS else value
    except Unusable as error:
        findings.complain(name, error.complaints)


def _certificate(findings: Findings) -> None:
    method = getattr(findings.values["AUTH"], "client_auth", "")
    if method == "tls_client_auth" and findings.values["CERT"] is None:
        remedy = "Give the path of certificate and key; with them the client proves who it is."
        findings.add("E003", at("CERT"), "is missing for tls_client_auth.", remedy)


def _endpoints(findings: Findings) -> None:
    for key in unusable(findings.values["BASE_URL"], findings.values["AUTH"]):
        remedy = "Give https://host/path, or a path as from BASE_URL; credentials have options."
        findings.add("E008", key, "is not an http or https URL without user information.", remedy)


def _paths(findings: Findings) -> None:
    """Complain of what would be refused whenever it is called."""
    values = findings.values
    templates = {at("ENDPOINTS", name): path for name, (_, path) in values["ENDPOINTS"].items()}
    paths = {key: sample(template) for key, template in templates.items()}
    if values["CHECK"]:
        paths[at("CHECK")] = values["CHECK"][1]
    for key, path in paths.items():
        try:
            join(values["BASE_URL"], path, findings.alias)
        except ForeignOrigin:
            remedy = "Give a path, or an absolute URL that begins as BASE_URL does."
            findings.add("E004", key, "leads elsewhere than under BASE_URL.", remedy)


def _idempotency_key(findings: Findings) -> None:
    values = findings.values
    name = values["RETRY"].idempotency_key.lower() if values["RETRY"] else ""
    key = at("RETRY", "idempotency_key")
    if name and name in map(str.lower, values["HEADERS"]):
        remedy = "Remove it from there, or every call would have the same key."
        findings.add("E004", key, "stands in HEADERS too.", remedy)
    if name and name == str(getattr(values["AUTH"], "header", "")).lower():
        findings.add("E004", key, "is the header of AUTH.", "Give another name.")


def _plain_http(findings: Findings) -> None:
    values = findings.values
    if values["ALLOW_HTTP"]:
        return
    carried = values["BASE_URL"], values["AUTH"], values["HEADERS"]
    for key, url in credentials_in_clear(*carried):
        remedy = "Use https, or set ALLOW_HTTP to True if you must."
        findings.add("E009", key, f"would send credentials over plain http to {url}.", remedy)
