"""Our own layer, apart from HTTP."""

from benchmarks import layer
from benchmarks.api import Api
from benchmarks.bench import REQUESTS, Bench, Part
from benchmarks.contenders import CACHED, CONTENDERS, OURS
from benchmarks.site import GUARDED
from benchmarks.tables import table


def own_layer(bench: Bench) -> Part:
    rounds = bench.rounds_or(25, quick=3)
    rows = [
        *times(bench.api, rounds),
        *memory(bench.api),
        *round_trips(bench),
    ]
    text = f"""\
Own CPU time of a call of which all but HTTP is done, the median of {rounds} rounds; and what is
kept.

{table(("", ""), rows)}"""
    return Part(text, (*REQUESTS, "django-redis"))


def times(api: Api, rounds: int) -> list[tuple[str, str]]:
    instant, signed = (
        layer.cost(kind, api, rounds) for kind in (layer.Instant, layer.InstantSigned)
    )
    guarded = layer.cost(layer.Instant, api, rounds, alias=GUARDED)
    return [
        ("`client.get` over an engine that answers at once", f"{instant:.1f} µs"),
        ("the same, with signing a copy", f"{signed:.1f} µs"),
        ("the first, guarded by all there is, in process", f"{guarded:.1f} µs"),
        ("what `for_subject` adds to a call", f"{layer.subject_cost(api, rounds):.2f} µs"),
    ]


def round_trips(bench: Bench) -> list[tuple[str, str]]:
    return [
        (
            f"Redis round trips per call, {each.name}",
            f"{layer.round_trips(each, bench.api, bench.redis_url):.4f}",
        )
        for each in CONTENDERS
        if each.name in (OURS, CACHED)
    ]


def memory(api: Api) -> list[tuple[str, str]]:
    held, kept = layer.subject_memory()
    return [
        (f"memory: 10,000 subjects used in turn ({kept:,} kept)", f"{held:.1f} MiB"),
        *((f"memory: {what}", f"{size:.0f} KiB") for what, size in layer.memory(api).items()),
    ]
