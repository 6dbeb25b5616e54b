"""The exceptions of the wrapper: what users may catch, and what the wrapper tells itself."""

from __future__ import annotations

from collections.abc import Sequence


class WrapperError(Exception):
    """Base of every error that the wrapper raises.

    Attributes:
        code: short name of the kind of error, sent to the worker as ``error.code``.
    """

    code = "Failed"


class ConfigurationError(WrapperError):
    """The environment holds settings that cannot be used.

    Attributes:
        problems: one sentence for each bad setting.
    """

    code = "ConfigurationError"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class LoadError(WrapperError):
    """The user's module cannot be loaded or has no usable ``start``.

    Attributes:
        details: the frames of the user's code that led there; may be empty.
    """

    code = "LoadError"

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class EncodingError(WrapperError):
    """A value cannot be sent to the worker; the text names its path and type."""

    code = "EncodingError"


class PayloadTooLarge(EncodingError):
    """A message is larger than the worker accepts (WORKER_SOCKET_MAX_PAYLOAD_BYTES)."""

    code = "PayloadTooLarge"


class DecodingError(WrapperError):
    """A message of the worker cannot be decoded."""

    code = "DecodingError"


class StorageError(WrapperError):
    """An input or a result cannot be read from, or written to, HKube's storage (mode v3)."""

    code = "StorageError"


class CallError(WrapperError):
    """Base of what a call of HKubeApi raises when HKube answers with a failure."""

    code = "CallError"


class SubPipelineError(CallError):
    """A sub-pipeline failed; the text is HKube's."""

    code = "SubPipelineError"


class SubPipelineStopped(CallError):
    """A sub-pipeline was stopped before it ended; the text is the reason HKube gave."""

    code = "SubPipelineStopped"


class AlgorithmExecutionError(CallError):
    """An algorithm started from the code API failed; the text is HKube's."""

    code = "AlgorithmExecutionError"


class DataSourceError(CallError):
    """A data source could not be had; the text is HKube's."""

    code = "DataSourceError"


class TaskOver(CallError):
    """A call was made through the HKubeApi of a task that has ended already."""

    code = "TaskOver"


class AlgorithmStopped(BaseException):
    """Raised in the user's code when HKube stops the task.

    Not an ``Exception``, so that ``except Exception`` lets it pass. Catch it to clean up, then
    return or re-raise within a few seconds.
    """
