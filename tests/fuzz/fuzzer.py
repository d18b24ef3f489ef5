"""One target under atheris: `python -m tests.fuzz.fuzzer TARGET` and what libFuzzer takes."""

from __future__ import annotations

import os
import sys

import atheris


def main() -> None:
    target, *arguments = sys.argv[1:]
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    with atheris.instrument_imports(include=["apiclient_app", "email._parseaddr"]):
        import django

        django.setup()
        from tests.fuzz.targets import feed

    # To merge, libFuzzer starts itself again, by a shell.
    myself = f"{sys.executable} -m tests.fuzz.fuzzer {target}"
    atheris.Setup([myself, *arguments], lambda data: feed(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
