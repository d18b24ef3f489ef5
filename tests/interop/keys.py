"""Key pairs to sign assertions with, one for each algorithm."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

ALGORITHMS = ("RS256", "ES256", "EdDSA")

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

MADE: dict[str, Callable[[], PrivateKey]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass(frozen=True)
class Key:
    """A private key as PEM, and its public half as the other side keeps it (RFC 7517)."""

    algorithm: str
    key_id: str
    private: str
    public: dict[str, Any]

    def sign(self, claims: dict[str, Any]) -> str:
        """Give a JWT that is not of the app's making."""
        headers = {"kid": self.key_id}
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers=headers)


@cache
def key(algorithm: str, key_id: str = "first") -> Key:
    """Give the key pair of this name: always the same one in a process."""
    made = MADE[algorithm]()
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(made.public_key()))
    return Key(algorithm, key_id, pem, {**public, "kid": key_id, "alg": algorithm, "use": "sig"})
