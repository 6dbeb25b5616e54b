"""Lets one side wait while the other has left too much unread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .worker.worker import MAX_WAITING_BYTES

if TYPE_CHECKING:
    from ..protocol.task.machine import TaskMachine
    from .child.runner import AlgorithmRunner
    from .worker.worker import Worker

# A little more than the two largest answers. Beyond it the worker has to wait; `alive` goes on.
_MAX_ANSWERS_BYTES = 256 * 1024 * 1024


class BackPressure:
    """Pauses the algorithm side for a slow worker, and the worker for slow user code.

    The algorithm side is not paused while its task is being stopped: the end of the stop must be
    read.
    """

    def __init__(self, machine: TaskMachine, worker: Worker, algorithm: AlgorithmRunner) -> None:
        self._machine = machine
        self._worker = worker
        self._algorithm = algorithm
        self._is_algorithm_paused = False

    def after_sending(self) -> None:
        """A message has been given to the worker's connection."""
        if self._worker.waiting_bytes > MAX_WAITING_BYTES:
            self._pause_or_resume_algorithm()

    def after_answer(self) -> None:
        """An answer has been given to the algorithm side."""
        if self._has_too_many_answers():
            self._worker.pause(True)

    def after_turn(self) -> None:
        """The loop has done what there was to do: who waited may go on now."""
        if self._is_algorithm_paused:
            self._pause_or_resume_algorithm()
        if self._worker.is_paused:
            self._worker.pause(self._has_too_many_answers())

    def algorithm_replaced(self) -> None:
        """Another algorithm side, which is not paused, has taken over."""
        self._is_algorithm_paused = False

    def _pause_or_resume_algorithm(self) -> None:
        paused = self._machine.has_task and self._worker.waiting_bytes > MAX_WAITING_BYTES
        if paused is not self._is_algorithm_paused:
            self._is_algorithm_paused = paused
            self._algorithm.pause(paused)

    def _has_too_many_answers(self) -> bool:
        """Whether user code, which may hold the GIL, has left too many answers unread."""
        channel = self._algorithm.channel
        return channel is not None and channel.control.outbox.waiting_bytes > _MAX_ANSWERS_BYTES
