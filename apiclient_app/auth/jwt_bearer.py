"""The JWT bearer grant: a token for an assertion that the client signs itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from apiclient_app.exceptions import TokenUnavailable

from .assertions import check_private_key
from .authentication import ClientAuth
from .messages import TokenRequest
from .oauth import OAuth
from .problems import OptionError

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PLACE = "{subject}"


@dataclass(frozen=True, kw_only=True, repr=False)
class JWTBearer(OAuth):
    """A token for a signed statement about somebody (RFC 7523 section 2.1).

    Where `{subject}` is in `subject`, it stands for whom the client acts for.
    """

    asked_for = ("scope",)

    client_id: str = ""
    client_auth: ClientAuth = "none"
    issuer: str
    subject: str
    claims: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def also_needed(cls, options: Mapping[str, Any]) -> Collection[str]:
        keyless = ["private_key"] if options.get("private_key") is None else []
        return dict.fromkeys([*super().also_needed(options), *keyless])

    def check(self) -> None:
        super().check()
        if self.client_auth == "client_secret_jwt":
            remedy = "Use private_key_jwt: one algorithm signs for grant and client."
            raise OptionError("wrong", "client_auth", remedy)
        if self.client_auth != "private_key_jwt" and self.private_key is not None:
            check_private_key(self.private_key, self.signs_with)
        self.audience_in("audience")
        if not _is_json(self.claims):
            raise OptionError("wrong", "claims", "Give what JSON can hold.")

    @property
    def timed(self) -> bool:
        return True

    def for_subject(self, subject: str) -> Self:
        if PLACE not in self.subject:
            return self
        return self.altered(subject=self.subject.replace(PLACE, subject))

    def token_request(self) -> TokenRequest:
        if PLACE in self.subject:
            raise TokenUnavailable(
                f"the option 'subject' has {PLACE} in it, and no subject was named; "
                "call for_subject(…) of the client first",
                error="no_subject",
            )
        claims = {"iss": self.issuer, "sub": self.subject, "aud": self.audience_in("audience")}
        assertion = self.signed({**claims, **self.claims})
        return self.asked(grant_type=GRANT_TYPE, assertion=assertion)

    def identity(self) -> Any:
        own = {"issuer": self.issuer, "subject": self.subject, "claims": dict(self.claims)}
        return {**super().identity(), **own}


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
