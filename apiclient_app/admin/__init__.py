"""The clients in Django's admin: what is known of their tokens, and what people may do to them."""

from .clients import ApiClientAdmin
from .credentials import CredentialAdmin

__all__ = ["ApiClientAdmin", "CredentialAdmin"]
