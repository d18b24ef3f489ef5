"""A site that calls for every visitor: gunicorn --preload tests.chaos.site."""

import json
import os
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

import django

from .load import Target, answers
from .preloaded import call_all_the_time, configure
from .witness import overhear

configure()
django.setup()
overhear()
call_all_the_time()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Call for who is in the path, and tell the visitor what came of it."""
    _, alias, subject = environ["PATH_INFO"].split("/")
    (how,) = parse_qs(environ["QUERY_STRING"])["how"]
    target = Target(alias, subject)
    ends = [target.end(response) for response in answers(how, target)]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([os.getpid(), ends]).encode()]
