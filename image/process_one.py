"""Process 1 of a container whose output HKube reads from a file.

    python -I -S process_one.py LOG COMMAND [ARGUMENT...]

runs the command and copies its stdout and stderr, in the order they come, to stdout and to the
end of LOG. It passes signals on, reaps orphans, and ends with the command's exit code after the
last byte was written: with a `tee` behind a pipe both are lost when process 1 ends first.

A script of its own, which imports nothing of the package: it is there as long as the container.
"""

from __future__ import annotations

import os
import select
import signal
import sys

_FORWARDED = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT),
    *(signal.SIGUSR1, signal.SIGUSR2),
)
_READ_SIZE = 64 * 1024
_MEGABYTE = 1_000_000
_DEFAULT_LIMIT = 512  # megabytes
# Seconds for what is left when the command has ended: our reader may be stuck, or a daemon
# that the command left behind may write for ever.
_LAST_WORDS = 5
_CANNOT_RUN, _NOT_FOUND = 126, 127


class LogFile:
    """The file that HKube reads. Whatever becomes of it, writing does not fail.

    A volume may be full, and have room again; somebody may delete the file. What could not be
    written is told in the file itself once it can be. It has a limit of its own, because Kubernetes
    evicts a pod whose volume is over the volume's limit, and no write fails before.

    Args:
        path: of the file; it is made if it is not there.
        limit: bytes that the file may have, but for a note that this is its end.

    Attributes:
        trouble: why the last bytes were not written; empty: they were.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str, limit: int = _DEFAULT_LIMIT * _MEGABYTE) -> None:
        self.trouble = ""
        self._path = path
        self._limit = limit
        self._fd = _open(path)
        self._missing = 0

    def write(self, data: bytes) -> None:
        """Add data to the file, after a note of what is missing if something is."""
        if self._missing:
            if self._put(b"\n[%d bytes of output are missing here]\n" % self._missing):
                self._missing += len(data)
                return
            self._missing = 0
        self._missing = self._put(data)

    def _put(self, data: bytes) -> int:
        """Write what can be written; returns how many bytes could not."""
        view, done = memoryview(data), 0
        try:
            room = self._limit - self._size()
            end = min(len(data), max(room, 0))
            while done < end:
                done += os.write(self._fd, view[done:end])
            self.trouble = ""
            if end < len(data):
                limit = f"HKUBE_LOG_FILE_LIMIT, {self._limit // _MEGABYTE} MB"
                self.trouble = f"it has reached {limit}"
                if room >= 0:  # once: with the note it is over the limit
                    note = f"\n[the end: {limit}; the output goes on in the container's own log]\n"
                    os.write(self._fd, note.encode())
        except OSError as error:
            self.trouble = error.strerror or str(error)
        return len(data) - done

    def _size(self) -> int:
        """Bytes in the file, which is made anew if it was deleted."""
        status = os.fstat(self._fd)
        if status.st_nlink == 0:
            self._open_anew()
            status = os.fstat(self._fd)
        return status.st_size

    def _open_anew(self) -> None:
        fresh = _open(self._path)
        try:
            os.dup2(fresh, self._fd, inheritable=False)
        finally:
            os.close(fresh)


def _open(path: str) -> int:
    # O_NONBLOCK: a FIFO that nobody reads is refused, where it would have us wait for ever.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path, flags, 0o644)


class Output:
    """Where the command's output goes: our own stdout, and the log.

    Args:
        log: the file that HKube reads.
    """

    def __init__(self, log: LogFile) -> None:
        self._log = log
        self._is_told = False

    def write(self, data: bytes) -> None:
        """Write it to both, as far as they take it."""
        self._show(data)
        self._log.write(data)
        if self._log.trouble and not self._is_told:
            self._is_told = True
            start = "" if data.endswith(b"\n") else "\n"
            self._show(
                f"{start}hkube: the log file takes no more output ({self._log.trouble}): it goes "
                "on here, and in the file once that can be written again\n".encode()
            )

    def _show(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(1, view) :]
        except OSError:
            pass  # nobody reads it any more; the log is still read


class Command:
    """The command, its output's end of the pipe, and how it ended.

    Args:
        arguments: the command.

    Attributes:
        exit_code: once it has ended.
        output: file descriptor of what it writes; reading never blocks.
        wakeup: file descriptor that can be read when a signal has come.
    """

    def __init__(self, arguments: list[str]) -> None:
        self.exit_code: int | None = None
        self._pid = 0
        self._early: list[int] = []  # signals that came before the command was there
        self.wakeup = self._take_signals()
        self.output, writing = os.pipe()
        os.set_blocking(self.output, False)
        self._pid = os.posix_spawnp(
            arguments[0],
            arguments,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, writing, fd) for fd in (1, 2)],
            # A group of its own: Ctrl-C comes to us alone, and from us once.
            setpgroup=0,
            setsigdef=[*_FORWARDED, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ],
        )
        os.close(writing)
        for number in self._early:
            self._forward(number, None)
        self._reap(signal.SIGCHLD, None)

    def _take_signals(self) -> int:
        wakeup, woken = os.pipe()
        os.set_blocking(wakeup, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, self._reap)
        signal.signal(signal.SIGALRM, lambda number, frame: os._exit(self.exit_code or 0))
        for number in _FORWARDED:
            signal.signal(number, self._forward)
        return wakeup

    # Both are called even while a write to our stdout blocks.
    def _forward(self, number: int, frame: object) -> None:
        if not self._pid:
            self._early.append(number)
        elif self.exit_code is None:
            os.kill(self._pid, number)  # not reaped yet, so the id is still its own

    def _reap(self, number: int, frame: object) -> None:
        """Take note of every child that has ended: the command, and orphans given to process 1."""
        try:
            while self._pid:  # before, the command's end could not be told from an orphan's
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self.exit_code = exit_code_of(status)
                    signal.alarm(_LAST_WORDS)
        except ChildProcessError:
            pass


def run(log: LogFile, arguments: list[str]) -> int:
    """Run a command, copy its output, and return its exit code.

    Args:
        log: where the output goes besides our stdout.
        arguments: the command.

    Raises:
        OSError: the command cannot be started.
    """
    command = Command(arguments)
    output = Output(log)
    poll = select.poll()
    poll.register(command.output, select.POLLIN)
    poll.register(command.wakeup, select.POLLIN)
    while command.exit_code is None:
        for fd, _ in poll.poll():
            if fd == command.wakeup:
                os.read(fd, _READ_SIZE)
            elif not copy(command.output, output):
                poll.unregister(fd)  # it has closed its output and lives on
    while copy(command.output, output):
        pass
    return command.exit_code


def copy(fd: int, output: Output) -> bool:
    """Copy what is in a pipe; False if nothing was."""
    try:
        data = os.read(fd, _READ_SIZE)
    except BlockingIOError:
        return False
    output.write(data)
    return bool(data)


def exit_code_of(status: int) -> int:
    """What a container whose process ended with this wait status exits with."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main(arguments: list[str]) -> int:
    """Run `LOG COMMAND...`; without a log that can be written, become the command."""
    path, *command = arguments
    try:
        try:
            log = LogFile(path, limit_of(os.environ.get("HKUBE_LOG_FILE_LIMIT", "")))
        except OSError as error:
            tell(f"{path} cannot be written ({error.strerror})")
            os.execvp(command[0], command)
        return run(log, command)
    except FileNotFoundError:
        tell(f"there is no program {command[0]!r}")
        return _NOT_FOUND
    except PermissionError as error:
        tell(f"{command[0]} cannot be run ({error.strerror})")
        return _CANNOT_RUN


def limit_of(value: str) -> int:
    """HKUBE_LOG_FILE_LIMIT in bytes; the usual one if the wrapper, which checks it, refuses it."""
    value = value.strip()
    is_number = value.isascii() and value.isdecimal() and len(value) < 20
    return ((int(value) if is_number else 0) or _DEFAULT_LIMIT) * _MEGABYTE


def tell(text: str) -> None:
    """Say something of our own on stderr."""
    try:
        os.write(2, f"hkube: {text}\n".encode(errors="backslashreplace"))
    except OSError:
        pass


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
