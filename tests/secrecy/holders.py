"""Clients with a canary wherever a secret can be put, one for each way of holding it."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .canaries import HEADER_TAIL, TAIL, Canaries

Settings = dict[str, Any]

NO_ENCRYPTION = NoEncryption()


def backend(name: str, **options: Any) -> Settings:
    return {"AUTH": {"BACKEND": f"apiclient_app.auth.{name}", "OPTIONS": options}}


def pem(canaries: Canaries, name: str = "private key", how: Any = NO_ENCRYPTION) -> str:
    """Make a private key; what it shares with all others on its curve is no secret."""
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()
    first, second = text.splitlines()[1:3]
    for piece in (first[48:], second):
        canaries.know(name, piece)
    return text


def oauth(
    origin: str, canaries: Canaries, name: str = "ClientCredentials", **options: Any
) -> Settings:
    given = {
        "token_url": f"{origin}/token?key={canaries.hatch('token_url', tail='')}",
        "client_id": "app",
        "client_secret": canaries.hatch("client_secret"),
        "extra": {"password": canaries.hatch("extra")},
        "revocation_url": f"{origin}/revoke?key={canaries.hatch('revocation_url', tail='')}",
    }
    return backend(name, **{**given, **options})


def proxied(origin: str, canaries: Canaries) -> Settings:
    proxy = origin.replace("//", f"//joe:{canaries.hatch('proxy password', tail='')}@")
    return {**oauth(origin, canaries), "PROXIES": {"http": proxy}}


def login(_origin: str, canaries: Canaries, **options: Any) -> Settings:
    credentials = {"user": "joe", "pin": canaries.hatch("login credential")}
    headers = {"X-Door-Key": canaries.hatch("login header", tail=HEADER_TAIL)}
    given = {"login_url": "/login", "credentials": credentials, "headers": headers}
    return backend("Login", **given, **options)


def api_key(_origin: str, canaries: Canaries, **options: Any) -> Settings:
    return backend("ApiKey", key=canaries.hatch("API key", tail=HEADER_TAIL), **options)


def static(_origin: str, canaries: Canaries) -> Settings:
    return backend("StaticToken", token=canaries.hatch("static token", tail=HEADER_TAIL))


def password(_origin: str, canaries: Canaries) -> Settings:
    return backend("Basic", username="joe", password=canaries.hatch("password"))


def posting(origin: str, canaries: Canaries) -> Settings:
    successor = {"client_secret": canaries.hatch("next client_secret")}
    return oauth(origin, canaries, client_auth="client_secret_post", next=successor)


def form(origin: str, canaries: Canaries) -> Settings:
    return login(origin, canaries, body="form")


def in_query(origin: str, canaries: Canaries) -> Settings:
    return api_key(origin, canaries, query="k")


def refreshing(origin: str, canaries: Canaries, **options: Any) -> Settings:
    """Two sets of credentials, and a refresh token of the application's own."""
    given = {
        "refresh_token": canaries.hatch("first refresh token"),
        "next": {"client_id": "app", "client_secret": canaries.hatch("next client_secret")},
    }
    return oauth(origin, canaries, "RefreshToken", **{**given, **options})


def asserting(origin: str, canaries: Canaries) -> Settings:
    keys = {
        "client_auth": "private_key_jwt",
        "algorithm": "ES256",
        "private_key": pem(canaries),
        "next": {"key_id": "2", "private_key": pem(canaries, "next private key")},
    }
    return refreshing(origin, canaries, **keys)


def sharing(origin: str, canaries: Canaries) -> Settings:
    secret = canaries.hatch("shared secret", tail=2 * TAIL)
    return oauth(origin, canaries, client_auth="client_secret_jwt", client_secret=secret)


def bearer(origin: str, canaries: Canaries) -> Settings:
    url = f"{origin}/token?key={canaries.hatch('token_url', tail='')}"
    who = {"issuer": "app", "subject": "app", "algorithm": "ES256"}
    return backend("JWTBearer", token_url=url, private_key=pem(canaries), **who)


def with_password(origin: str, canaries: Canaries) -> Settings:
    user = {"username": "joe", "password": canaries.hatch("user's password")}
    return oauth(origin, canaries, "Password", client_auth="client_secret_post", **user)


def paired(origin: str, canaries: Canaries, **options: Any) -> Settings:
    """A login whose refresh token goes into a body and a header, between other secrets."""
    pin, key = canaries.hatch("refresh pin"), canaries.hatch("refresh key", tail=HEADER_TAIL)
    given = {
        "refresh_url": "/refresh",
        "refresh_credentials": {"pin": pin, "was": [f"{pin}-{{refresh_token}}"]},
        "refresh_headers": {"X-Was": "{refresh_token}", "X-Key": f"{key}-{{refresh_token}}"},
    }
    return login(origin, canaries, **{**given, **options})


def signed(_origin: str, canaries: Canaries) -> Settings:
    return backend("Signed", key_id="app", secret=canaries.hatch("signing secret"))


HOLDERS: dict[str, Callable[[str, Canaries], Settings]] = {
    holder.__name__: holder
    for holder in (
        *(oauth, posting, proxied, login, form, api_key, in_query, static, password),
        *(refreshing, asserting, sharing, bearer, with_password, paired, signed),
    )
}
REFRESHING = ("refreshing", "asserting", "with_password", "paired")
RENEWABLE = ("oauth", "posting", "proxied", "login", "form", "sharing", "bearer", *REFRESHING)


def client(holder: str, origin: str, canaries: Canaries) -> Settings:
    """Give the settings of a client that calls `origin`."""
    headers = {"X-Partner-Key": canaries.hatch("HEADERS", tail=HEADER_TAIL)}
    more = {"BASE_URL": f"{origin}/api/", "HEADERS": headers, "CHECK": "GET echo"}
    return {**HOLDERS[holder](origin, canaries), "TIMEOUT": (1, 1), **more}
