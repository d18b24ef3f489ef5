"""The parts of RESULTS.md, in their order."""

from benchmarks.bench import Section

from .expiry import expiring_token
from .imports import import_time
from .linearity import ever_more
from .many import many_calls
from .memory import long_work
from .one import one_call
from .own import own_layer
from .slow import slow_server

SECTIONS = {
    section.key: section
    for section in (
        Section("one", "One call", one_call),
        Section("many", "Thousands of calls", many_calls),
        Section("slow", "A server that takes its time", slow_server),
        Section("memory", "Memory", long_work),
        Section("expiry", "A token expires under way", expiring_token),
        Section("linearity", "Ever more calls", ever_more),
        Section("imports", "Import time", import_time),
        Section("layer", "Our own layer", own_layer),
    )
}
