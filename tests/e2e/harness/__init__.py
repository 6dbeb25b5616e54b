"""The tests' harness: a scripted worker, the wrapper's process, and the rules."""

from __future__ import annotations

from .events import Message
from .process import WrapperProcess
from .worker import ScriptedWorker

__all__ = ["Message", "ScriptedWorker", "WrapperProcess"]
