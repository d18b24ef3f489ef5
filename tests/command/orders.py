"""The command as code runs it: through `call_command`."""

import io
import json
from dataclasses import dataclass
from typing import Any

from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Outcome:
    """What a command wrote and how it ended: `error` is empty where it ended well."""

    out: str
    err: str
    code: int = 0
    error: str = ""

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def order(*words: str, **options: Any) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("apiclient", *words, stdout=out, stderr=err, **options)
    except CommandError as error:
        return Outcome(out.getvalue(), err.getvalue(), error.returncode, str(error))
    return Outcome(out.getvalue(), err.getvalue())
