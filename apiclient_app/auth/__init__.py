"""Auth backends: how a token is obtained and put on a request. No I/O.

Write your own as a frozen dataclass whose fields are its OPTIONS:

    @dataclass(frozen=True, kw_only=True, repr=False)
    class DoorCode(AuthBackend):
        url: str
        code: Secret[str]

        def token_request(self):
            return TokenRequest("POST", self.url, json={"code": self.code.reveal()})

        def read(self, reply):
            body = reply.json()
            return Grant({"X-Door": body["key"]}, life=body["minutes"] * 60)
"""

from apiclient_app.secret import Secret

from .base import AuthBackend
from .grants import ClientCredentials, Password, RefreshToken
from .jwt_bearer import JWTBearer
from .login import Login
from .messages import Grant, Reply, TokenRequest
from .problems import OptionError
from .signed import Signed
from .static import ApiKey, Basic, NoAuth, StaticToken

__all__ = [
    "ApiKey",
    "AuthBackend",
    "Basic",
    "ClientCredentials",
    "Grant",
    "JWTBearer",
    "Login",
    "NoAuth",
    "OptionError",
    "Password",
    "RefreshToken",
    "Reply",
    "Secret",
    "Signed",
    "StaticToken",
    "TokenRequest",
]
