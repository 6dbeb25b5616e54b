"""The text about a value that cannot be sent: what it is, and what to send instead."""

from __future__ import annotations

from typing import Any

_LIST = "make it a list: list(...)"
_DICT = "make it a dict: dict(...)"
_TO_LIST = "make it a list: .tolist()"
_TO_ARRAY = "make it an array: numpy.asarray(...)"
_PNG = "make it a PNG in a buffer of io.BytesIO(), with {}, and send buffer.getvalue()"
_MODEL = "save it with {}, and send the file's bytes or its path"
_ESTIMATOR = _MODEL.format("joblib.dump")

# By the top-level module and the name of a type; the bases of a type are looked up too.
_HINTS = {
    ("builtins", "set"): _LIST,
    ("builtins", "frozenset"): _LIST,
    ("builtins", "range"): _LIST,
    ("builtins", "dict_keys"): _LIST,
    ("builtins", "dict_values"): _LIST,
    ("builtins", "dict_items"): _LIST,
    ("builtins", "mappingproxy"): _DICT,
    ("builtins", "complex"): "send its parts: [value.real, value.imag]",
    ("builtins", "slice"): "send its parts: [value.start, value.stop, value.step]",
    ("builtins", "coroutine"): "did you forget to await it?",
    ("builtins", "async_generator"): "collect it: [item async for item in ...]",
    ("builtins", "function"): "did you forget to call it?",
    ("builtins", "method"): "did you forget to call it?",
    ("builtins", "builtin_function_or_method"): "did you forget to call it?",
    ("builtins", "module"): "did you forget to name something in it?",
    ("builtins", "type"): "did you forget to make an instance of it?",
    ("builtins", "BaseException"): "raise it to fail the task, or send its text: str(...)",
    ("PIL", "Image"): _PNG.format('.save(buffer, "PNG")'),
    ("array", "array"): _TO_LIST,
    ("asyncio", "Future"): "did you forget to await it?",
    ("_asyncio", "Future"): "did you forget to await it?",
    ("collections", "deque"): _LIST,
    ("concurrent", "Future"): "send its result: .result()",
    ("datetime", "timedelta"): "make it a number of seconds: .total_seconds()",
    ("decimal", "Decimal"): "make it a number: float(...), or text: str(...)",
    ("fractions", "Fraction"): "make it a number: float(...), or text: str(...)",
    ("functools", "partial"): "did you forget to call it?",
    ("io", "IOBase"): "send its content: .read()",
    ("_io", "_IOBase"): "send its content: .read()",
    ("jax", "Array"): _TO_ARRAY,
    ("jaxlib", "Array"): _TO_ARRAY,
    ("matplotlib", "Figure"): _PNG.format('.savefig(buffer, format="png")'),
    ("numpy", "complexfloating"): "send its parts: [value.real, value.imag]",
    (
        "numpy",
        "timedelta64",
    ): "make it a number, for instance seconds: value / numpy.timedelta64(1, 's')",
    ("numpy", "void"): "make it a tuple: .item()",
    ("pandas", "DataFrame"): 'make it a list with a dict for each row: .to_dict("records")',
    ("pandas", "NAType"): "send None instead",
    ("pandas", "Timedelta"): "make it a number of seconds: .total_seconds()",
    ("polars", "DataFrame"): "make it a list with a dict for each row: .to_dicts()",
    ("polars", "Series"): "make it a list: .to_list()",
    ("re", "Match"): "send its text: .group()",
    ("re", "Pattern"): "send its text: .pattern",
    ("scipy", "spmatrix"): "make it an array: .toarray()",
    ("scipy", "sparray"): "make it an array: .toarray()",
    ("sklearn", "BaseEstimator"): _ESTIMATOR,
    ("tensorflow", "Tensor"): "make it an array: .numpy()",
    ("torch", "Module"): _MODEL.format("torch.save"),
    ("torch", "Tensor"): "make it an array: .numpy(force=True)",
}

# By a method of the type, if its name is unknown.
_METHOD_HINTS = {
    "tolist": _TO_LIST,
    "to_list": "make it a list: .to_list()",
    "model_dump": "make it a dict: .model_dump()",
    "to_dict": "make it a dict: .to_dict()",
    "_asdict": "make it a dict: ._asdict()",
    "get_params": _ESTIMATOR,
    "predict": _ESTIMATOR,
    "keys": _DICT,
    "__next__": _LIST,
    "__iter__": _LIST,
}

_BINARY = (
    "set WORKER_ALGORITHM_ENCODING=msgpack (or bson) to send binary data, "
    "or make it text: base64.b64encode(...).decode()"
)


def describe(value: Any) -> str:
    """Describe a value and what to do about it: ``is a set; make it a list: list(...)``."""
    kind = type(value)
    if issubclass(kind, bytes | bytearray | memoryview):
        what = "bytes" if kind is bytes else _with_article(_type_name(kind))
        return f"is {what}; {_BINARY}"
    if issubclass(kind, type):
        return f"is the class {value.__name__}; {_HINTS['builtins', 'type']}"
    return f"is {_with_article(_type_name(kind))}; {_hint(kind)}"


def _hint(kind: type) -> str:
    for base in kind.__mro__:
        hint = _HINTS.get((_root_module(base), base.__name__))
        if hint:
            return hint
    for method, hint in _METHOD_HINTS.items():
        if hasattr(kind, method):
            return hint
    if kind.__dictoffset__:
        return "make it a dict, for instance with vars(...), or make its class a dataclass"
    return "send a dict, a list, text or a number instead"


def _type_name(kind: type) -> str:
    root = _root_module(kind)
    return kind.__name__ if root == "builtins" else f"{root}.{kind.__name__}"


def _root_module(kind: type) -> str:
    module: object = kind.__module__
    return module.partition(".")[0] if isinstance(module, str) else "builtins"


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
