"""The API that is called: where it is, and the token it wants."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Api:
    """An API on loopback; `alias` names the client that calls it."""

    base_url: str
    token: str
    alias: str = "bench"

    @property
    def url(self) -> str:
        return f"{self.base_url}{self.path}"

    @property
    def path(self) -> str:
        return "users/octocat"

    @property
    def token_url(self) -> str:
        return f"{self.base_url.removesuffix('api/')}token"

    @property
    def authorization(self) -> str:
        return f"Bearer {self.token}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.authorization}

    @property
    def curl_alias(self) -> str:
        """The client with `"ENGINE": "curl"`."""
        return f"{self.alias}_curl"

    def paths(self, count: int) -> Iterator[str]:
        return (f"users/{number}" for number in range(count))

    def urls(self, count: int) -> Iterator[str]:
        return (f"{self.base_url}{path}" for path in self.paths(count))
