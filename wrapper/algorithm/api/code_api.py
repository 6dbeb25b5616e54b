"""HKube's code API: other algorithms, sub-pipelines and data sources, asked for by user code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import DataSourceError
from ...protocol.messages import shapes
from .arguments import check_call_id, check_dict, check_list, check_name, check_nodes, check_timeout
from .call import ALGORITHM, DATA_SOURCE, SUB_PIPELINE, ApiCall, next_call_id
from .calls import Calls

if TYPE_CHECKING:
    from .future import CallFuture
    from .stored_calls import StoredCalls


class CodeApi:
    """The part of HKubeApi that has HKube run something, or fetch it."""

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
        """Run another algorithm of HKube and get its result.

        Args:
            algorithmName: the algorithm's name in HKube.
            input: list of what it gets as ``args["input"]``.
            includeResult: False to know only that it has ended; the result is then None.
            blocking: False to get a future at once, with the answer to come.
            timeout: how many seconds to wait; None to wait as long as it takes.

        Returns:
            What the algorithm returned. With ``blocking=False`` a
            :class:`concurrent.futures.Future` of it, which has an ``id`` and can be awaited.

        Raises:
            AlgorithmExecutionError: it failed, or HKube could not run it; the text is HKube's.
            TimeoutError: it took longer than `timeout`. It goes on running in HKube.
            EncodingError: `input` holds something that cannot be sent.
            StorageError: mode v3: the input cannot be stored, or the result not read.
            AlgorithmStopped: this task was stopped meanwhile.

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
        return self._make(call, message, blocking, seconds)

    def start_stored_subpipeline(
        self,
        name: str,
        flowInput: Mapping[str, Any] | None = None,
        includeResult: bool = True,
        blocking: bool = True,
        timeout: float | None = None,
    ) -> Any:
        """Run a pipeline that is stored in HKube and get its result.

        Args:
            name: the pipeline's name in HKube.
            flowInput: dict of what its nodes refer to as ``@flowInput``.
            includeResult: False to know only that it has ended; the result is then None.
            blocking: False to get a future at once, with the answer to come.
            timeout: how many seconds to wait; None to wait as long as it takes.

        Returns:
            List of one dict for each of the pipeline's last nodes, with ``nodeName``,
            ``algorithmName`` and ``result``. With ``blocking=False`` a
            :class:`concurrent.futures.Future` of it, which has an ``id`` and can be awaited.

        Raises:
            SubPipelineError: it failed, or HKube could not run it; the text is HKube's.
            SubPipelineStopped: it was stopped; the text is the reason.
            TimeoutError: it took longer than `timeout`. It goes on running in HKube.
            EncodingError: `flowInput` holds something that cannot be sent.
            AlgorithmStopped: this task was stopped meanwhile.

        Example:
            >>> answer = hkube_api.start_stored_subpipeline("simple", flowInput={"size": 3})
            >>> answer[0]["result"]
        """
        check_name("start_stored_subpipeline", "name", name)
        values = check_dict("start_stored_subpipeline", "flowInput", flowInput)
        seconds = check_timeout("start_stored_subpipeline", timeout)
        call = ApiCall(next_call_id(), SUB_PIPELINE, name, bool(includeResult))
        message = shapes.start_stored_sub_pipeline(call.id, name, values, call.include_result)
        return self._make(call, message, blocking, seconds)

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
        """Run a pipeline that is described here and get its result.

        Args:
            name: a name for the pipeline.
            nodes: list of dicts, one a node, as in a pipeline's descriptor.
            flowInput: dict of what the nodes refer to as ``@flowInput``.
            options: dict of options, as in a pipeline's descriptor.
            webhooks: dict of webhooks, as in a pipeline's descriptor.
            includeResult: False to know only that it has ended; the result is then None.
            blocking: False to get a future at once, with the answer to come.
            timeout: how many seconds to wait; None to wait as long as it takes.

        Returns:
            As :meth:`start_stored_subpipeline`.

        Raises:
            TypeError: `nodes` is no list of dicts, or another argument no dict.
            CallError: and all else as :meth:`start_stored_subpipeline`.

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
        return self._make(call, message, blocking, seconds)

    def stop_subpipeline(self, future_or_id: CallFuture | str, reason: str = "") -> None:
        """Stop a sub-pipeline; its future then raises SubPipelineStopped, within a second or so.

        Args:
            future_or_id: what the call that started it gave with ``blocking=False``, or its id.
            reason: shown in HKube.
        """
        started_by = ("start_stored_subpipeline", "start_raw_subpipeline")
        call_id = check_call_id("stop_subpipeline", started_by, future_or_id)
        reason = _reason(reason)
        self._calls.request_stop(call_id, shapes.stop_sub_pipeline(call_id, reason), reason)

    def stop_algorithm(self, future_or_id: CallFuture | str, reason: str = "") -> None:
        """Stop an algorithm; its future then raises AlgorithmExecutionError, within a second or so.

        Args:
            future_or_id: what start_algorithm gave with ``blocking=False``, or its id.
            reason: shown in HKube.
        """
        call_id = check_call_id("stop_algorithm", ("start_algorithm",), future_or_id)
        reason = _reason(reason)
        message = shapes.stop_algorithm_execution(call_id, reason)
        self._calls.request_stop(call_id, message, reason)

    def get_data_source(self, dataSource: Mapping[str, Any]) -> Any:
        """Get the files of a data source.

        Args:
            dataSource: ``{"dataSourceId": id}`` or ``{"snapshotId": id}``.

        Returns:
            A dict with ``name`` and ``files``, a list of dicts with ``path`` and more.

        Raises:
            DataSourceError: there is none; the text is HKube's.
            AlgorithmStopped: this task was stopped meanwhile.
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
        """Get the files of a data source, the way older algorithms do: nothing HKube says raises.

        Returns:
            The pair ``(error, data_source)``, of which one is None. See :meth:`get_data_source`.
        """
        try:
            return None, self.get_data_source(dataSource)
        except DataSourceError as error:
            return str(error), None

    def _make(
        self, call: ApiCall, message: Mapping[str, Any], blocking: bool, seconds: float | None
    ) -> Any:
        fetch = None if self._stored is None else self._stored.fetch
        if not blocking:
            return self._calls.begin(call, message, seconds, fetch)
        response = self._calls.wait(call, message, seconds)
        return response if fetch is None else fetch(response)


def _reason(reason: object) -> str:
    return "" if reason is None else str(reason)
