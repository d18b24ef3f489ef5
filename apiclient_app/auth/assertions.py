"""JWT assertions (RFC 7523), signed by PyJWT, and the keys that can sign them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Literal, get_args

from apiclient_app.secret import Secret

from .problems import OptionError

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
]  # fmt: skip
SYMMETRIC = tuple(name for name in get_args(Algorithm) if name.startswith("HS"))
CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
RSA_BITS = 2048
LIFE = 120
SLACK = 10  # an endpoint whose clock is a second behind ours refuses what is issued now


def assertion(claims: Mapping[str, Any], now: float, key: Any, algorithm: str, kid: str) -> str:
    """Sign `claims` for two minutes, under a name (jti) that is used once."""
    import jwt  # whoever signs nothing does not pay for it

    issued = int(now) - SLACK
    times = {"iat": issued, "exp": issued + LIFE, "jti": secrets.token_urlsafe(16)}
    headers = {"kid": kid} if kid else None
    return jwt.encode({**claims, **times}, key, algorithm=algorithm, headers=headers)


def private_key(pem: Secret[str]) -> Any:
    """Give the private key in a PEM text that was checked before."""
    return _parsed(pem, checked=True)


def check_private_key(pem: Secret[str], algorithm: str) -> None:
    """OptionError for a key that `algorithm` cannot sign with; the text does not show it."""
    if algorithm in SYMMETRIC:
        raise OptionError("wrong", "algorithm", f"{algorithm} signs with no private key.")
    key = _parsed(pem, checked=False)
    if key is None:
        raise OptionError("wrong", "private_key", "Give a private key in PEM, not encrypted.")
    if remedy := _unfit(key, algorithm):
        raise OptionError("wrong", "private_key", remedy)


def check_shared_key(key: Secret[str], algorithm: str) -> None:
    """OptionError for a client secret that `algorithm` cannot sign with."""
    if algorithm not in SYMMETRIC:
        remedy = f"Use one of {', '.join(SYMMETRIC)} with client_secret_jwt."
        raise OptionError("wrong", "algorithm", remedy)
    import jwt

    needed = int(algorithm.removeprefix("HS")) // 8
    remedy = f"{algorithm} needs {needed} bytes or more (RFC 7518 section 3.2)."
    if len(key.reveal().encode()) >= needed:
        try:
            assertion({}, 0, key.reveal(), algorithm, "")
            return
        except jwt.InvalidKeyError:
            remedy = "A private key or a JWK is no client secret."
    raise OptionError("wrong", "client_secret", remedy)


def _parsed(pem: Secret[str], *, checked: bool) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(
            # In environment variables, a line break is often written as two characters.
            pem.reveal().replace("\\n", "\n").encode(),
            None,
            unsafe_skip_rsa_key_validation=checked,  # it takes 50 ms, where signing takes one
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _unfit(key: Any, algorithm: str) -> str:
    """Say why a key is not for `algorithm`; nothing if it is."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    if algorithm == "EdDSA":
        fits = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        return "" if fits else "Give an Ed25519 or Ed448 key, as EdDSA needs."
    if curve := CURVES.get(algorithm):
        fits = isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == curve
        return "" if fits else f"Give a key of the curve {curve}, as {algorithm} needs."
    if not isinstance(key, rsa.RSAPrivateKey):
        return f"Give an RSA key, as {algorithm} needs."
    too_short = key.key_size < RSA_BITS
    return f"Give an RSA key of {RSA_BITS} bits or more, not {key.key_size}." if too_short else ""
