from __future__ import annotations

from apiclient_app.auth import ClientCredentials, TokenRequest


class PerSubject(ClientCredentials):
    """Asks for a token of the subject's own, which the API can tell from another's."""

    whom = ""

    def for_subject(self, subject: str) -> PerSubject:
        return self.altered(whom=subject)

    def token_request(self) -> TokenRequest:
        return self.asked(grant_type="client_credentials", login_hint=self.whom)
