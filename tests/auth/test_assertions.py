"""A client that signs who it is: client_secret_jwt and private_key_jwt (RFC 7523 section 2.2)."""

import json
import subprocess
import sys
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import PrivateFormat

from apiclient_app.auth import ClientCredentials, OptionError, RefreshToken, Secret
from apiclient_app.tokens import new_token

from .keys import KINDS, key, pem
from .replies import NOW
from .sent import SHARED, URL, claims, fields

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def signing(algorithm: str | None = "ES256", **options: Any) -> ClientCredentials:
    given = {
        "token_url": URL,
        "client_id": "app",
        "client_auth": "private_key_jwt",
        "private_key": pem(KINDS[algorithm or "RS256"]),
        "algorithm": algorithm,
    }
    return ClientCredentials(**{**given, **options}).at(NOW)


def sharing(**options: Any) -> ClientCredentials:
    given = {"token_url": URL, "client_id": "app", "client_auth": "client_secret_jwt"}
    return ClientCredentials(**{**given, "client_secret": Secret(SHARED), **options}).at(NOW)


@pytest.mark.parametrize("algorithm", KINDS)
def test_an_assertion_is_verified_with_the_public_key(algorithm: str) -> None:
    sent = fields(signing(algorithm).token_request())
    told = claims(sent["client_assertion"], algorithm)
    assert sent["client_assertion_type"] == TYPE
    assert told.pop("jti")
    assert told == {"iss": "app", "sub": "app", "aud": URL, "iat": NOW - 10, "exp": NOW + 110}


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", None])
def test_an_assertion_is_verified_with_the_client_secret(algorithm: str | None) -> None:
    sent = fields(sharing(algorithm=algorithm).token_request())
    told = claims(sent["client_assertion"], algorithm or "HS256")
    assert (told["iss"], told["sub"]) == ("app", "app")
    assert "client_secret" not in sent
    assert SHARED not in str(sent)


def parts(assertion: str) -> tuple[dict[str, Any], bytes, bytes]:
    """Give header, signed text and signature, read by hand."""
    header, payload, signature = assertion.split(".")
    decoded = [urlsafe_b64decode(part + "==") for part in (header, signature)]
    return json.loads(decoded[0]), f"{header}.{payload}".encode(), decoded[1]


def verify(algorithm: str, signature: bytes, text: bytes) -> None:
    """Verify without PyJWT, which made the signature; InvalidSignature if it is not one."""
    public = key(KINDS[algorithm]).public_key()
    match algorithm:
        case "RS256":
            public.verify(signature, text, padding.PKCS1v15(), SHA256())
        case "ES256":
            assert len(signature) == 64
            r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
            public.verify(encode_dss_signature(r, s), text, ec.ECDSA(SHA256()))
        case _:
            public.verify(signature, text)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_signature_is_what_the_standard_says(algorithm: str) -> None:
    header, text, signature = parts(
        fields(signing(algorithm, key_id="key-7").token_request())["client_assertion"]
    )
    assert header == {"alg": algorithm, "typ": "JWT", "kid": "key-7"}
    verify(algorithm, signature, text)
    with pytest.raises(InvalidSignature):
        verify(algorithm, signature, text + b"x")


def test_without_a_key_id_none_is_sent() -> None:
    header, *_ = parts(fields(signing().token_request())["client_assertion"])
    assert "kid" not in header


def test_the_algorithm_is_rs256_unless_told_otherwise() -> None:
    header, *_ = parts(fields(signing(None).token_request())["client_assertion"])
    assert header["alg"] == "RS256"


def test_each_request_has_an_assertion_of_its_own() -> None:
    own = signing()
    sent = [fields(own.token_request())["client_assertion"] for _ in range(3)]
    told = [claims(assertion)["jti"] for assertion in sent]
    assert len(set(told)) == 3
    assert min(map(len, told)) >= 20


def test_times_are_those_of_the_providers_clock() -> None:
    later = signing().at(NOW + 500.9)
    told = claims(fields(later.token_request())["client_assertion"])
    assert (told["iat"], told["exp"]) == (NOW + 490, NOW + 610)


@pytest.mark.parametrize("behind", [0.0, 2.0, 9.0])
def test_an_endpoint_whose_clock_is_a_little_behind_takes_it(behind: float) -> None:
    told = claims(fields(signing().token_request())["client_assertion"])
    assert told["iat"] <= NOW - behind < told["exp"]


def test_the_client_is_named_and_no_header_is_sent() -> None:
    for own in (signing(), sharing()):
        request = own.token_request()
        assert fields(request)["client_id"] == "app"
        assert "Authorization" not in request.headers


def test_a_refresh_and_a_revocation_are_signed_too() -> None:
    own = RefreshToken(
        token_url=URL,
        client_id="app",
        client_auth="private_key_jwt",
        private_key=pem("p256"),
        algorithm="ES256",
        revocation_url="https://id.example/revoke",
    ).at(NOW)
    token = new_token({"Authorization": Secret("Bearer abc")}, sent_at=0, obtained_at=0, life=60)
    requests = [
        own.refresh_request(Secret("r1")),
        own.refresh_revocation_request(Secret("r1")),
        own.revocation_request(token),
    ]
    sent = [fields(request) for request in requests]
    told = [claims(each["client_assertion"]) for each in sent]
    assert {each["aud"] for each in told} == {URL}
    assert len({each["jti"] for each in told}) == 3
    assert [each.get("token", each.get("refresh_token")) for each in sent] == ["r1", "r1", "abc"]


@pytest.mark.parametrize(
    ("backend", "timed"),
    [
        (signing(), True),
        (sharing(), True),
        (sharing(client_auth="client_secret_basic"), False),
        (signing(client_auth="none"), False),
    ],
)
def test_what_holds_times_says_so(backend: ClientCredentials, timed: bool) -> None:
    assert backend.timed is timed


def test_an_audience_can_be_named() -> None:
    own = signing(token_url="oauth/token", assertion_audience="https://id.example")
    sent = fields(own.token_request())["client_assertion"]
    assert claims(sent, audience="https://id.example")["sub"] == "app"


def test_a_token_url_that_is_no_audience_is_wrong() -> None:
    with pytest.raises(OptionError, match="absolute URL, or add 'assertion_audience'") as caught:
        signing(token_url="oauth/token")
    assert (caught.value.problem.kind, caught.value.problem.option) == ("wrong", "token_url")


def test_the_key_is_part_of_the_identity_and_is_known_to_redaction() -> None:
    own = signing()
    assert own.identity() != signing("EdDSA").identity()
    assert signing(key_id="key-7").identity() == own.identity()
    assert pem("p256").reveal() in own.secrets()
    assert "PRIVATE" not in f"{own!r}{vars(own)}{own.token_request()!r}"


def test_line_breaks_of_a_key_may_be_written_as_two_characters() -> None:
    flat = Secret(pem("p256").reveal().replace("\n", "\\n"))
    sent = fields(signing(private_key=flat).token_request())
    assert claims(sent["client_assertion"])


@pytest.mark.parametrize(
    ("algorithm", "kind", "form"),
    [
        ("RS256", "rsa", PrivateFormat.TraditionalOpenSSL),
        ("ES256", "p256", PrivateFormat.TraditionalOpenSSL),
        ("EdDSA", "ed448", PrivateFormat.PKCS8),
    ],
)
def test_a_key_may_be_in_any_format_of_openssl(
    algorithm: str, kind: str, form: PrivateFormat
) -> None:
    sent = fields(signing(algorithm, private_key=pem(kind, form)).token_request())
    assert claims(sent["client_assertion"], algorithm, kind=kind)["sub"] == "app"


EARLY = """
import sys
import apiclient_app.auth
assert "jwt" not in sys.modules
"""


def test_who_signs_nothing_does_not_import_the_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
