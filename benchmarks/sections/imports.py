"""What the app adds to the start of a Django project that uses requests anyway."""

import json
import random
import subprocess
import sys
from statistics import median
from typing import Any

from benchmarks.bench import REQUESTS, Bench, Part
from benchmarks.tables import table

APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
HEAVY = ("pycurl", "aiohttp", "httpx", "uvloop", "celery", "tqdm")

PROGRAM = """
import json, sys, time
began = time.perf_counter()
import django, requests
from django.conf import settings
apps, heavy = map(json.loads, sys.argv[1:])
settings.configure(SECRET_KEY="for the benchmarks", INSTALLED_APPS=apps)
django.setup()
ready, modules = time.perf_counter(), len(sys.modules)
import apiclient_app
print(json.dumps({
    "setup": (ready - began) * 1000,
    "import": (time.perf_counter() - ready) * 1000,
    "modules": len(sys.modules) - modules,
    "heavy": [name for name in heavy if name in sys.modules],
}))
"""


def import_time(bench: Bench) -> Part:
    rounds = bench.rounds_or(15, quick=7)
    found: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for _ in range(rounds):
        for installed in random.sample([False, True], 2):
            found[installed].append(started(installed))
    without, within = found[False], found[True]
    heavy = sorted({name for each in within + without for name in each["heavy"]})
    rows = [
        ("Django, requests, `django.setup()`", ms(without, "setup")),
        ("then `import apiclient_app`", ms(without, "import")),
        ("the first, with the app in INSTALLED_APPS", ms(within, "setup")),
        ("modules that `import apiclient_app` adds", str(without[0]["modules"])),
        (f"of {', '.join(HEAVY)}, imported", ", ".join(heavy) or "none"),
    ]
    text = f"Medians of {rounds} processes each, in turn.\n\n{table(('', ''), rows)}"
    return Part(text, REQUESTS)


def started(installed: bool) -> dict[str, Any]:
    apps = [*APPS, *(["apiclient_app"] if installed else [])]
    words = [sys.executable, "-c", PROGRAM, json.dumps(apps), json.dumps(HEAVY)]
    said = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
    return dict(json.loads(said))


def ms(started: list[dict[str, Any]], what: str) -> str:
    return f"{median(each[what] for each in started):.0f} ms"
