"""python -m benchmarks [--only one,many] [--quick] [--rounds N] [--calls N] [--write]"""

import argparse
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from project.valkey import Valkey

from . import plots, report, serving
from .bench import Bench, Section
from .nginx import serving as nginx_serving
from .sections import SECTIONS
from .sections.slow import DELAY
from .site import set_up

RESULTS = Path(__file__).with_name("RESULTS.md")
DESCRIPTORS = 16_384


def main() -> None:
    options = arguments()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # loopback is measured
    measured: dict[str, str] = {}
    with servers(options) as bench:
        set_up(bench.site)
        for section in options.only:
            text = measured[section.title] = measure(section, bench, options.write)
            print(f"## {section.title}\n\n{text}\n", flush=True)
            if options.write:  # what is found is kept, whatever comes next
                order = [each.title for each in SECTIONS.values()]
                RESULTS.write_text(report.merged(RESULTS.read_text(), measured, order))


def measure(section: Section, bench: Bench, write: bool) -> str:
    before = os.getloadavg()[0]
    part = section.measure(bench)
    load = before, os.getloadavg()[0]
    drawn = bool(write and part.picture and plots.drawn(part.picture))
    return report.body(part, load, valkey_version(bench.redis_url), drawn)


@contextmanager
def servers(options: argparse.Namespace) -> Iterator[Bench]:
    size = options.mebibytes << 20
    with (
        Valkey() as valkey,
        nginx_serving(size, descriptors()) as api,
        serving.running("bench_slow", DELAY) as slow,
        serving.running("bench_expiring", 0) as expiring,
    ):
        yield Bench(
            api=api,
            slow=slow,
            expiring=expiring,
            redis_url=valkey.url,
            rounds=options.rounds,
            calls=options.calls,
            quick=options.quick,
            size=size,
        )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure.")
    parser.add_argument(
        "--only",
        type=sections,
        default=[*SECTIONS.values()],
        metavar="NAME,...",
        help=f"of {', '.join(SECTIONS)}",
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, few calls: for a look")
    parser.add_argument("--rounds", type=int, help="in every section")
    parser.add_argument("--calls", type=int, help="per contender and round; in `memory`, in all")
    parser.add_argument("--mebibytes", type=int, default=1024, help="streamed down in `memory`")
    parser.add_argument("--write", action="store_true", help=f"into {RESULTS.name}")
    return parser.parse_args()


def sections(names: str) -> list[Section]:
    unknown = [name for name in names.split(",") if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such section: {', '.join(unknown)}")
    return [SECTIONS[name] for name in names.split(",")]


def descriptors() -> int:
    """Allow this process and its children as many as may be, and give how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def valkey_version(url: str) -> str:
    with redis.Redis.from_url(url) as connection:
        return str(connection.info("server").get("valkey_version", "?"))


if __name__ == "__main__":
    main()
