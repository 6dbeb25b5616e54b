"""Reports progress and spans in an unusual order."""


def start(args, api):
    api.start_span("outer", {"a": 1})
    api.progress(10, "ten")
    with api.span("inner", tags={"b": 2}):
        api.progress(50)
    api.start_span("left open")
    if args["input"][0] == "raise":
        raise ValueError("with two spans open")
    api.finish_span({"c": 3})
    api.finish_span(error="went badly")
    return "told"
