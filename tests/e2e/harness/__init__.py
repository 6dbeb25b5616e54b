"""What the tests stand on: a scripted worker, the wrapper's process, the standing rules."""

from __future__ import annotations

from .events import Message
from .process import WrapperProcess
from .worker import ScriptedWorker

__all__ = ["Message", "ScriptedWorker", "WrapperProcess"]
