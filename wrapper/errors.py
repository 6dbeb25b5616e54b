"""The exceptions of the wrapper: those that users may catch, and internal ones."""

from __future__ import annotations

from collections.abc import Sequence


class WrapperError(Exception):
    """Base of every error that the wrapper raises.

    Attributes:
        code: short name for the kind of error; the worker receives it as ``error.code``.
    """

    code = "Failed"


class ConfigurationError(WrapperError):
    """Settings in the environment are invalid.

    Attributes:
        problems: one sentence for each invalid setting.
    """

    code = "ConfigurationError"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class BrokenPackage(WrapperError):
    """An installed package that the wrapper needs cannot be imported."""

    code = "BrokenPackage"


class LoadError(WrapperError):
    """The user's module cannot be loaded or has no usable ``start``.

    Attributes:
        details: the frames of the user's code that led to the error; may be empty.
    """

    code = "LoadError"

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class EncodingError(WrapperError):
    """A value cannot be sent to the worker; the message names its path and type."""

    code = "EncodingError"


class PayloadTooLarge(EncodingError):
    """A message is larger than the worker accepts (WORKER_SOCKET_MAX_PAYLOAD_BYTES)."""

    code = "PayloadTooLarge"


class DecodingError(WrapperError):
    """A message from the worker cannot be decoded."""

    code = "DecodingError"


class StorageError(WrapperError):
    """Reading an input or writing a result in HKube's storage failed (mode v3)."""

    code = "StorageError"


class StreamingError(WrapperError):
    """A streaming call was made in a task, or along a flow, that does not allow it."""

    code = "StreamingError"


class CallError(WrapperError):
    """Base of the errors that a call of HKubeApi raises if HKube reports a failure."""

    code = "CallError"


class SubPipelineError(CallError):
    """A sub-pipeline failed; the message is HKube's."""

    code = "SubPipelineError"


class SubPipelineStopped(CallError):
    """A sub-pipeline was stopped before it ended; the message is the reason that HKube gave."""

    code = "SubPipelineStopped"


class AlgorithmExecutionError(CallError):
    """An algorithm started with the code API failed; the message is HKube's."""

    code = "AlgorithmExecutionError"


class DataSourceError(CallError):
    """A data source is not available; the message is HKube's."""

    code = "DataSourceError"


class TaskOver(CallError):
    """User code called the HKubeApi of a task that has already ended."""

    code = "TaskOver"


class AlgorithmStopped(BaseException):
    """Raised in the user's code when HKube stops the task.

    It is not an ``Exception``, so ``except Exception`` does not catch it. Catch it to clean up,
    then return or re-raise it within a few seconds.
    """
