"""OPTIONS of clients that authenticate by assertion."""

from typing import Any

from .authority import SECRET
from .keys import Key


def signing(signer: Key | None) -> dict[str, Any]:
    """Options of a client that signs with a key, or else with its secret."""
    if signer is None:
        return {"client_id": "app", "client_auth": "client_secret_jwt", "client_secret": SECRET}
    return {
        "client_id": "app",
        "client_auth": "private_key_jwt",
        "private_key": signer.private,
        "key_id": signer.key_id,
        "algorithm": signer.algorithm,
    }
