"""Usage: python -m project.demo. With EXIT=1 it ends by itself; its status tells how it went."""

import gc
import os
import signal
import sys
import time
from urllib.parse import urlsplit

import django
import redis
from django.core.management import call_command

from project.valkey import redis_url

from . import terminal
from .child import Ended
from .fleet import SITE_PROCESSES, SITE_THREADS, WORKER_PROCESSES, Fleet
from .story import tell

USER = PASSWORD = "admin"  # the site can be reached from this machine only
STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def main() -> int:
    for number in STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    stay = os.environ.get("EXIT", "") in {"", "0"}
    try:
        with redis_url() as url, Fleet(url) as fleet:
            try:
                return show(fleet, stay=stay)
            except KeyboardInterrupt:
                return 130
            finally:
                for number in STOPPING:  # what stops the rest is not to be stopped half-way
                    signal.signal(number, signal.SIG_IGN)
                gc.collect()  # a result that Celery waited for in vain asks Redis to forget it
    except KeyboardInterrupt:
        return 130
    except (Ended, RuntimeError, OSError) as error:
        terminal.error(str(error))
        return 1


def show(fleet: Fleet, *, stay: bool) -> int:
    """Start everything, tell the story, and stay up if wanted."""
    started = time.monotonic()
    start(fleet)
    introduce(fleet, time.monotonic() - started)
    kept = tell(fleet)
    conclude(fleet, kept=kept, stay=stay)
    if stay:
        remain(fleet)
    return 0 if kept else 1


def start(fleet: Fleet) -> None:
    try:
        redis.Redis.from_url(fleet.redis_url, socket_timeout=5).ping()
    except redis.RedisError as error:
        raise Ended(f"Redis does not answer: {error}") from None
    fleet.start_provider()
    # From here on this process is one of the site's: the same settings, the same token.
    environment = fleet.environment
    os.environ.clear()
    os.environ.update(environment)
    django.setup()
    call_command("migrate", verbosity=0)
    create_admin()
    fleet.start_site()
    fleet.start_worker()
    fleet.wait()


def create_admin() -> None:
    from django.contrib.auth.models import User

    User.objects.create_superuser(USER, password=PASSWORD)


def remain(fleet: Fleet) -> None:
    """Return on Ctrl-C, or when the make that started us is gone; raise if a process ends."""
    parent = os.getppid()
    try:
        while os.getppid() == parent:
            fleet.check()
            time.sleep(0.5)
    except KeyboardInterrupt:
        print()


def introduce(fleet: Fleet, seconds: float) -> None:
    server = urlsplit(fleet.redis_url).netloc.rpartition("@")[2]  # no password
    site = f"{SITE_PROCESSES} processes, {SITE_THREADS} threads each"
    terminal.title(f"Started in {seconds:.1f} s")
    terminal.line(f"provider  {fleet.provider_url}  OAuth 2 and an API; its tokens live 10 s")
    terminal.line(f"site      {fleet.site_url}  {site}")
    terminal.line(f"worker    Celery: {WORKER_PROCESSES} processes")
    terminal.line(f"Redis     {server}")


def conclude(fleet: Fleet, *, kept: bool, stay: bool) -> None:
    print()
    terminal.verdict(kept=kept, text="Every promise kept" if kept else "Not every promise kept")
    terminal.line(f"site      {fleet.site_url}/")
    terminal.line(f"admin     {fleet.site_url}/admin/  user {USER}, password {PASSWORD}")
    if not stay:
        return
    words = [f"{name}={fleet.settings[name]}" for name in ("DEMO_RUN", "PROVIDER_URL")]
    if not urlsplit(fleet.redis_url).password:
        words.append(f"REDIS_URL={fleet.redis_url}")
    terminal.line("command   in another terminal:")
    terminal.aside(f"{' '.join(words)} {os.path.relpath(sys.executable)} manage.py apiclient list")
    terminal.line("Ctrl-C stops everything.")


sys.exit(main())
