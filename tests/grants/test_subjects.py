"""Nothing of one subject is ever served to another."""

import time
from collections.abc import Callable

import pytest

from .crew import Crew
from .load import at_length, wait_for
from .provider.handle import Provider

SUBJECTS = ("ann", "bob")


@pytest.mark.parametrize(
    ("processes", "threads", "calls"),
    [
        pytest.param(4, 4, 1_000, id="short"),
        pytest.param(8, 8, 10_000, id="full", marks=at_length),
    ],
)
def test_each_reply_names_its_subject(
    strict: Provider,
    crew: Callable[..., Crew],
    tell: Callable[[str], None],
    processes: int,
    threads: int,
    calls: int,
) -> None:
    workers = crew(processes, api=strict.client())
    for subject in SUBJECTS:
        workers.ask("store", subject=subject, refresh_token=strict.mint(subject))
    workers.start(subjects=SUBJECTS, threads=threads, every=0.0)
    expired = 0
    while len(workers.calls()) < calls:
        time.sleep(1)
        wait_for(strict.settled)
        expired += strict.expire()
    made, seen = workers.stop(), strict.seen()

    each = {subject: sum(call.subject == subject for call in made) for subject in SUBJECTS}
    tell(f"two subjects: calls {each}, {expired} expiries, {seen.issued} tokens issued")
    assert made.failed == []
    assert min(each.values()) > calls / 3
    assert seen.alive == list(SUBJECTS)
    assert seen.repeated == []
    assert seen.issued <= expired + len(SUBJECTS)
