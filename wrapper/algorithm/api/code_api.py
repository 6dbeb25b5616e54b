"""HKube's code API: user code starts other algorithms and sub-pipelines, and gets data sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import DataSourceError
from ...protocol.messages import shapes
from ...protocol.messages.node_results import without_links
from .arguments import check_call_id, check_dict, check_list, check_name, check_nodes, check_timeout
from .call import ALGORITHM, DATA_SOURCE, SUB_PIPELINE, ApiCall, next_call_id
from .calls import Calls

if TYPE_CHECKING:
    from .future import CallFuture
    from .stored_calls import StoredCalls


class CodeApi:
    """The part of HKubeApi that runs things in HKube and fetches data sources.

    Args:
        calls: the calls of the task.
        stored: the storage for calls (mode v3). None: messages carry inputs and results.
    """

    def __init__(self, calls: Calls, stored: StoredCalls | None = None) -> None:
        self._calls = calls
        self._stored = stored

    def start_algorithm(
        self,
        algorithmName: str,
        input: Sequence[Any] = (),
        includeResult: bool = True,
        blocking: bool = True,
        timeout: float | None = None,
    ) -> Any:
        """Run another algorithm in HKube and return its result.

        Args:
            algorithmName: The algorithm's name in HKube, a ``str``.
            input: A ``list`` or ``tuple``, which the algorithm receives as ``args["input"]``.
            includeResult: A ``bool``. With False, the call only waits until the algorithm has
                ended, and returns None.
            blocking: A ``bool``. With False, the call returns a future at once.
            timeout: The longest time to wait, in seconds. None waits without a limit.

        Returns:
            The algorithm's result. With ``blocking=False``, a
            :class:`concurrent.futures.Future` of the result, which has an ``id`` and can be
            awaited.

        Raises:
            AlgorithmExecutionError: The algorithm failed, or HKube could not run it. The text is
                HKube's.
            TimeoutError: There was no answer within ``timeout``. The algorithm keeps running.
            TypeError: An argument has the wrong type.
            ValueError: ``algorithmName`` is empty, or ``timeout`` is not above 0.
            EncodingError: ``input`` holds a value that cannot be sent.
            StorageError: Mode v3: the input cannot be stored, or the result cannot be read.
            TaskOver: The task has ended.
            AlgorithmStopped: HKube stopped this task meanwhile.

        Example:
            >>> total = hkube_api.start_algorithm("sum", input=[1, 2])
            >>> futures = [hkube_api.start_algorithm("sum", [n], blocking=False) for n in range(9)]
            >>> totals = [future.result() for future in futures]
        """
        check_name("start_algorithm", "algorithmName", algorithmName)
        values = check_list("start_algorithm", "input", input)
        seconds = check_timeout("start_algorithm", timeout)
        call = ApiCall(next_call_id(), ALGORITHM, algorithmName, bool(includeResult))
        message: Mapping[str, Any]
        if self._stored is None:
            message = shapes.start_algorithm_execution(
                call.id, algorithmName, values, call.include_result
            )
        else:
            message = self._stored.start_algorithm(call, values)
        return self._run(call, message, blocking, seconds)

    def start_stored_subpipeline(
        self,
        name: str,
        flowInput: Mapping[str, Any] | None = None,
        includeResult: bool = True,
        blocking: bool = True,
        timeout: float | None = None,
    ) -> Any:
        """Run a pipeline that is stored in HKube and return its result.

        Args:
            name: The pipeline's name in HKube, a ``str``.
            flowInput: A ``dict``, which the pipeline's nodes refer to as ``@flowInput``.
            includeResult: A ``bool``. With False, the call only waits until the pipeline has
                ended, and returns None.
            blocking: A ``bool``. With False, the call returns a future at once.
            timeout: The longest time to wait, in seconds. None waits without a limit.

        Returns:
            A ``list`` with one ``dict`` for each of the pipeline's last nodes. Its keys are
            ``nodeName``, ``algorithmName`` and ``result``. With ``blocking=False``, a
            :class:`concurrent.futures.Future` of the list, which has an ``id`` and can be
            awaited.

        Raises:
            SubPipelineError: The pipeline failed, or HKube could not run it. The text is HKube's.
            SubPipelineStopped: The pipeline was stopped. The text is the reason.
            TimeoutError: There was no answer within ``timeout``. The pipeline keeps running.
            TypeError: An argument has the wrong type.
            ValueError: ``name`` is empty, or ``timeout`` is not above 0.
            EncodingError: ``flowInput`` holds a value that cannot be sent.
            StorageError: Mode v3: the result cannot be read.
            TaskOver: The task has ended.
            AlgorithmStopped: HKube stopped this task meanwhile.

        Example:
            >>> answer = hkube_api.start_stored_subpipeline("simple", flowInput={"size": 3})
            >>> answer[0]["result"]
        """
        check_name("start_stored_subpipeline", "name", name)
        values = check_dict("start_stored_subpipeline", "flowInput", flowInput)
        seconds = check_timeout("start_stored_subpipeline", timeout)
        call = ApiCall(next_call_id(), SUB_PIPELINE, name, bool(includeResult))
        message = shapes.start_stored_sub_pipeline(call.id, name, values, call.include_result)
        return self._run(call, message, blocking, seconds)

    def start_raw_subpipeline(
        self,
        name: str,
        nodes: Sequence[Mapping[str, Any]],
        flowInput: Mapping[str, Any] | None,
        options: Mapping[str, Any] | None = None,
        webhooks: Mapping[str, Any] | None = None,
        includeResult: bool = True,
        blocking: bool = True,
        timeout: float | None = None,
    ) -> Any:
        """Run a pipeline that the call itself describes, and return its result.

        Args:
            name: A name for the pipeline, a ``str``.
            nodes: A ``list`` with one ``dict`` for each node, as in a pipeline's descriptor.
            flowInput: A ``dict``, which the nodes refer to as ``@flowInput``; None for an empty
                one.
            options: A ``dict`` of options, as in a pipeline's descriptor.
            webhooks: A ``dict`` of webhooks, as in a pipeline's descriptor.
            includeResult: A ``bool``. With False, the call only waits until the pipeline has
                ended, and returns None.
            blocking: A ``bool``. With False, the call returns a future at once.
            timeout: The longest time to wait, in seconds. None waits without a limit.

        Returns:
            The same as :meth:`start_stored_subpipeline`.

        Raises:
            SubPipelineError: The pipeline failed, or HKube could not run it. The text is HKube's.
            SubPipelineStopped: The pipeline was stopped. The text is the reason.
            TimeoutError: There was no answer within ``timeout``. The pipeline keeps running.
            TypeError: ``nodes`` is not a list of dicts, or another argument has the wrong type.
            ValueError: ``name`` is empty, or ``timeout`` is not above 0.
            EncodingError: An argument holds a value that cannot be sent.
            StorageError: Mode v3: the result cannot be read.
            TaskOver: The task has ended.
            AlgorithmStopped: HKube stopped this task meanwhile.

        Example:
            >>> nodes = [{"nodeName": "one", "algorithmName": "sum", "input": ["@flowInput.a"]}]
            >>> answer = hkube_api.start_raw_subpipeline("mine", nodes, {"a": [1, 2]})
        """
        function = "start_raw_subpipeline"
        check_name(function, "name", name)
        seconds = check_timeout(function, timeout)
        call = ApiCall(next_call_id(), SUB_PIPELINE, name, bool(includeResult))
        message = shapes.start_raw_sub_pipeline(
            call.id,
            name,
            check_nodes(function, nodes),
            check_dict(function, "flowInput", flowInput),
            check_dict(function, "options", options),
            check_dict(function, "webhooks", webhooks),
            call.include_result,
        )
        return self._run(call, message, blocking, seconds)

    def stop_subpipeline(self, future_or_id: CallFuture | str, reason: str = "") -> None:
        """Stop a sub-pipeline. Within about a second, its future raises SubPipelineStopped.

        Args:
            future_or_id: The future from the call that started it with ``blocking=False``, or the
                future's ``id``, a ``str``.
            reason: The reason that HKube shows, a ``str``.

        Raises:
            TypeError: ``future_or_id`` is neither a future of such a call nor a ``str``.
            ValueError: The id is empty.
            TaskOver: The task has ended.
        """
        started_by = ("start_stored_subpipeline", "start_raw_subpipeline")
        call_id = check_call_id("stop_subpipeline", started_by, future_or_id)
        reason = _reason(reason)
        self._calls.request_stop(call_id, shapes.stop_sub_pipeline(call_id, reason), reason)

    def stop_algorithm(self, future_or_id: CallFuture | str, reason: str = "") -> None:
        """Stop an algorithm. Within about a second, its future raises AlgorithmExecutionError.

        Args:
            future_or_id: The future from :meth:`start_algorithm` with ``blocking=False``, or the
                future's ``id``, a ``str``.
            reason: The reason that HKube shows, a ``str``.

        Raises:
            TypeError: ``future_or_id`` is neither a future of such a call nor a ``str``.
            ValueError: The id is empty.
            TaskOver: The task has ended.
        """
        call_id = check_call_id("stop_algorithm", ("start_algorithm",), future_or_id)
        reason = _reason(reason)
        message = shapes.stop_algorithm_execution(call_id, reason)
        self._calls.request_stop(call_id, message, reason)

    def get_data_source(self, dataSource: Mapping[str, Any]) -> Any:
        """Get the files of a data source.

        Args:
            dataSource: A ``dict``, either ``{"dataSourceId": id}`` or ``{"snapshotId": id}``.

        Returns:
            A ``dict`` with ``name`` and ``files``, a list of dicts with ``path`` and more.

        Raises:
            DataSourceError: HKube has no such data source. The text is HKube's.
            TypeError: ``dataSource`` is not a ``dict``.
            EncodingError: ``dataSource`` holds a value that cannot be sent.
            TaskOver: The task has ended.
            AlgorithmStopped: HKube stopped this task meanwhile.
        """
        if not isinstance(dataSource, Mapping):
            raise TypeError(
                'get_data_source: dataSource must be a dict, {"dataSourceId": id} or '
                f'{{"snapshotId": id}}, not {type(dataSource).__name__}'
            )
        name = dataSource.get("dataSourceId") or dataSource.get("snapshotId") or ""
        call = ApiCall(next_call_id(), DATA_SOURCE, str(name))
        message = shapes.data_source_request(call.id, dict(dataSource))
        return self._calls.wait(call, message, None)

    def getDataSource(self, dataSource: Mapping[str, Any]) -> tuple[str | None, Any]:
        """Get the files of a data source and return errors, as older algorithms expect.

        Args:
            dataSource: See :meth:`get_data_source`.

        Returns:
            The pair ``(error, data_source)``; one of the two is None. ``error`` is HKube's text, a
            ``str``. See :meth:`get_data_source` for ``data_source``.

        Raises:
            TypeError: ``dataSource`` is not a ``dict``.
            EncodingError: ``dataSource`` holds a value that cannot be sent.
            TaskOver: The task has ended.
            AlgorithmStopped: HKube stopped this task meanwhile.
        """
        try:
            return None, self.get_data_source(dataSource)
        except DataSourceError as error:
            return str(error), None

    def _run(
        self, call: ApiCall, message: Mapping[str, Any], blocking: bool, seconds: float | None
    ) -> Any:
        fetch = without_links if self._stored is None else self._stored.fetch
        if not blocking:
            return self._calls.begin(call, message, seconds, fetch)
        response = self._calls.wait(call, message, seconds)
        return fetch(response)


def _reason(reason: object) -> str:
    return "" if reason is None else str(reason)
