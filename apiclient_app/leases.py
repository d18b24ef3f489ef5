"""Who holds a lock, and for how long."""

import secrets

LEASE_MARGIN = 2.0  # seconds beyond TOKEN_TIMEOUT, for what is done before and after the request


def new_owner() -> int:
    """Give an owner for lock or seat: an int, which every cache backend stores as it is."""
    return secrets.randbits(62) + 1
