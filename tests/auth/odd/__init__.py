"""Token replies as real providers send them, each with what is made of it.

A case is named for the behaviour that it stands for. What is granted has a life, a header, and
perhaps a refresh token; what is not is terminal, or may be asked for again.
"""

from .bodies import BODIES, ERRORS
from .lives import LIVES
from .outcomes import SECRET, Case, Granted, Outcome, Refused, Unavailable, Unsendable
from .tokens import JWTS, REFRESH_TOKENS, TOKENS

CASES: dict[str, Case] = {}
for table in (LIVES, JWTS, TOKENS, REFRESH_TOKENS, BODIES, ERRORS):
    assert CASES.keys().isdisjoint(table)
    CASES.update(table)

__all__ = [
    "CASES",
    "SECRET",
    "Case",
    "Granted",
    "Outcome",
    "Refused",
    "Unavailable",
    "Unsendable",
]
