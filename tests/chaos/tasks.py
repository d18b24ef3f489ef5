"""Tasks that call: celery --app tests.chaos.tasks worker. The worker itself calls too."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from .load import Ledger, Target, answers, now
from .preloaded import call_all_the_time, configure
from .witness import overhear

configure()

app = Celery("chaos", broker=os.environ["BROKER"])
app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False)
ledger = Ledger(os.environ["LEDGER"])


@worker_init.connect
def begin(**_: Any) -> None:
    overhear()
    call_all_the_time()


@app.task(name="call")
def call(how: str, alias: str, subject: str) -> None:
    at, target = now(), Target(alias, subject)
    for response in answers(how, target):
        ledger.note(how, target, at, response)
