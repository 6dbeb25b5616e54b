"""HKube's algorithm wrapper: runs a user's Python module as an HKube algorithm.

User code may import :class:`HKubeApi` (for type hints), the exceptions, and ``__version__`` from
here. Each name is imported on first use, so that ``import wrapper`` stays cheap.
"""

# No import here: `python -m wrapper` looks in the folders of PYTHONPATH first, the user's among
# them, until `__main__` has changed that.
TYPE_CHECKING = False  # type checkers take this name for typing.TYPE_CHECKING

__version__ = "0.2.0"

if TYPE_CHECKING:
    from typing import Any

    from .algorithm.api.hkube_api import HKubeApi
    from .errors import (
        AlgorithmExecutionError,
        AlgorithmStopped,
        CallError,
        DataSourceError,
        EncodingError,
        PayloadTooLarge,
        StorageError,
        StreamingError,
        SubPipelineError,
        SubPipelineStopped,
        TaskOver,
        WrapperError,
    )

__all__ = [
    "AlgorithmExecutionError",
    "AlgorithmStopped",
    "CallError",
    "DataSourceError",
    "EncodingError",
    "HKubeApi",
    "PayloadTooLarge",
    "StorageError",
    "StreamingError",
    "SubPipelineError",
    "SubPipelineStopped",
    "TaskOver",
    "WrapperError",
    "__version__",
]


def __getattr__(name: str) -> "Any":
    if name == "HKubeApi":
        from .algorithm.api.hkube_api import HKubeApi

        return HKubeApi
    if name in __all__:
        from . import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
