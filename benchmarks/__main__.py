"""python -m benchmarks [--rounds N] [--calls N] [--write]"""

import argparse
import os
from pathlib import Path

import redis

from project.valkey import Valkey

from . import layer
from .contenders import CACHED, CONTENDERS, OURS
from .nginx import Api, serving
from .report import Run, markdown
from .runner import interleaved
from .site import set_up

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    options = arguments()
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # loopback is measured
    with Valkey() as valkey, serving() as api:
        set_up(api, valkey.url)
        before = os.getloadavg()[0]
        field = interleaved(CONTENDERS, api, options.rounds, options.calls)
        run = Run(
            rounds=options.rounds,
            calls=options.calls,
            load=(before, os.getloadavg()[0]),
            valkey=valkey_version(valkey.url),
            field=field,
            layer=own_layer(api, valkey.url),
        )
    text = markdown(run)
    print(text)
    if options.write:
        RESULTS.write_text(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure.")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument(
        "--calls", type=int, default=300, help="per contender and round, in turns of 20"
    )
    parser.add_argument("--write", action="store_true", help=f"into {RESULTS.name}")
    return parser.parse_args()


def own_layer(api: Api, redis_url: str) -> list[tuple[str, str]]:
    counted = [each for each in CONTENDERS if each.name in (OURS, CACHED)]
    held, kept = layer.subject_memory()
    trips = {each.name: layer.round_trips(each, api, redis_url) for each in counted}
    return [
        ("`client.get` over an engine that answers at once", us(layer.cost(layer.Instant, api))),
        ("the same, with signing a copy", us(layer.cost(layer.InstantSigned, api))),
        ("what `for_subject` adds to a call", f"{layer.subject_cost(api):.2f} µs"),
        (f"memory: 10,000 subjects used in turn ({kept:,} kept)", f"{held:.1f} MiB"),
        *((f"Redis round trips per call, {name}", f"{n:.4f}") for name, n in trips.items()),
        *((f"memory: {what}", f"{size:.0f} KiB") for what, size in layer.memory(api).items()),
    ]


def us(microseconds: float) -> str:
    return f"{microseconds:.1f} µs"


def valkey_version(url: str) -> str:
    with redis.Redis.from_url(url) as connection:
        return str(connection.info("server").get("valkey_version", "?"))


if __name__ == "__main__":
    main()
