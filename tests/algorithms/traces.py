"""Reports where its own OpenTelemetry spans hang, and what a child process would find."""

import os
import sys

EAGER = os.environ.get("IMPORT_OPENTELEMETRY") == "eagerly"
if EAGER:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())

before = {}


def parent_of_a_new_span():
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
    with provider.get_tracer("test").start_as_current_span("mine") as span:
        parent = span.parent
    return parent and [f"{parent.trace_id:032x}", f"{parent.span_id:016x}"]


def initialize(args):
    how = args["input"][0]
    before["parent"] = parent_of_a_new_span() if how == "look" else None


def start(args, api):
    how = args["input"][0]
    if how == "touch nothing":
        return [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]
    return {
        "initialize": before["parent"],
        "start": parent_of_a_new_span(),
        "variable": os.environ.get("TRACEPARENT"),
    }
