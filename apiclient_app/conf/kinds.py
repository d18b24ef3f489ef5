"""Whether a value in settings is of the kind that its key has, and which part of it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from apiclient_app.auth.options import described, fits

from .problems import at
from .unusable import Complaint

OF_TEXTS = (Mapping[str, str], Mapping[str, str] | None)


def misfits(value: Any, kind: Any) -> Iterator[Complaint]:
    """Give what does not fit; nothing where all of it does."""
    if fits(value, kind):
        return
    remedy = f"Give {described(kind)}."
    if get_origin(kind) is Literal and isinstance(value, str):
        yield "E004", "", f"is neither {' nor '.join(map(repr, get_args(kind)))}.", remedy
    elif isinstance(value, Mapping) and kind in OF_TEXTS:
        for name, part in value.items():
            if not isinstance(name, str):
                yield "E004", at(name), "has a name that is not a text.", "Give a text."
            elif not isinstance(part, str):
                yield "E004", at(name), "is not a text.", "Give a text."
    else:
        yield "E004", "", "has the wrong type.", remedy
