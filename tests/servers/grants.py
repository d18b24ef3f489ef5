"""Refresh tokens of one use: the second use, if it comes late, is taken for a theft."""

import secrets
import time


class Grants:
    """What people consented to. Each use of a refresh token gives its successor."""

    def __init__(self) -> None:
        self.whose: dict[str, str] = {}  # subject by refresh token
        self.lost: list[str] = []  # subjects that have to be asked again
        self._current: dict[str, str] = {}  # refresh token by subject
        self._used_at: dict[str, float] = {}

    @property
    def issued(self) -> list[str]:
        return list(self.whose)

    def consent(self, subject: str) -> str:
        """Give the first refresh token of a new grant."""
        self._current[subject] = token = secrets.token_urlsafe(24)
        self.whose[token] = subject
        return token

    def take(self, refresh_token: str, grace: float) -> str:
        """Give the successor, the same one for as long as it is grace; otherwise end the grant."""
        subject = self.whose[refresh_token]
        now = time.time()
        if subject in self.lost:
            return ""
        if now - self._used_at.setdefault(refresh_token, now) > grace:
            self.lost.append(subject)
            return ""
        if refresh_token == self._current[subject]:
            return self.consent(subject)
        return self._current[subject]
