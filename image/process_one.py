"""Process 1 of a container whose output HKube reads from a file.

    python -I -S process_one.py LOG COMMAND [ARGUMENT...]

runs the command and copies its stdout and stderr, in the order they arrive, to stdout and to the
end of LOG. It forwards signals, reaps orphans, and ends with the command's exit code once the last
byte is written. (`COMMAND | tee LOG` would lose the exit code and the last output.)

The script imports nothing of the package, to stay small: it runs as long as the container.
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
# Seconds to copy remaining output after the command has ended: our reader may be stuck, or a
# daemon that the command left behind may write forever.
_REMAINING_OUTPUT_LIMIT = 5
# Around an event of several lines (`wrapper/log.py`).
_BEGIN, _END = b"\x1e", b"\x1f"
_FIRST = (b"", b"2", b"[")  # of a year, or of the short form
_LONGEST_EVENT = 1_000_000  # bytes
_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(32), ord('"'), ord("\\"))}
_CANNOT_RUN, _NOT_FOUND = 126, 127


class LogFile:
    """The file that HKube reads. Writing to it never fails, whatever happens to the file.

    The volume may fill up and later have space again; somebody may delete the file. As soon as
    writing is possible again, a note in the file says how much is missing. The file has a size
    limit, because Kubernetes evicts a pod whose volume exceeds its limit before any write fails.

    Args:
        path: path of the file, which is created if it does not exist.
        limit: maximum size in bytes, without the note that marks the end.

    Attributes:
        trouble: why the last bytes were not written; empty if they were.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: str, limit: int = _DEFAULT_LIMIT * _MEGABYTE) -> None:
        self.trouble = ""
        self._path = path
        self._limit = limit
        self._fd = _open(path)
        self._missing = 0

    def write(self, data: bytes) -> None:
        """Append data to the file, after a note if earlier data is missing."""
        if self._missing:
            if self._put(b"\n[%d bytes of output are missing here]\n" % self._missing):
                self._missing += len(data)
                return
            self._missing = 0
        self._missing = self._put(data)

    def _put(self, data: bytes) -> int:
        """Write as much as possible; return the number of bytes not written."""
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
                if room >= 0:  # only once: the note itself exceeds the limit
                    note = f"\n[end of file: {limit}; the container's own log has the rest]\n"
                    os.write(self._fd, note.encode())
        except OSError as error:
            self.trouble = error.strerror or str(error)
        return len(data) - done

    def _size(self) -> int:
        """Return the size of the file; create it again if it was deleted."""
        status = os.fstat(self._fd)
        if status.st_nlink == 0:
            self._reopen()
            status = os.fstat(self._fd)
        return status.st_size

    def _reopen(self) -> None:
        fresh = _open(self._path)
        try:
            os.dup2(fresh, self._fd, inheritable=False)
        finally:
            os.close(fresh)


def _open(path: str) -> int:
    # O_NONBLOCK: opening a FIFO without a reader fails, rather than waiting forever. O_NOFOLLOW:
    # the folder is shared with user code, whose link must not choose which file we write to.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o644)


class LogRecords:
    """Finds the events that the wrapper has marked; all else stays as it is, marks included.

    HKube's worker takes each line of the file as a record of its own, and a line of JSON with the
    key `log` as one record. So an error's report stays whole there; people see its lines.
    """

    def __init__(self) -> None:
        self._held = b""  # begins with a mark, and may be an event
        self._end = b"\n"  # the last byte before it

    def add(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what to show and what belongs into the file, now that `data` was written."""
        if not self._held and _BEGIN not in data:  # nearly always
            self._end = data[-1:] or self._end
            return data, data
        shown, logged = b"", b""
        data, self._held = self._held + data, b""
        while data:
            before, begin, inside = data.partition(_BEGIN)
            shown, logged = shown + before, logged + before
            event, end, data = inside.partition(_END)
            if begin and not end and may_be_event(event):
                self._held = begin + inside
                break
            if end and b"\n" in event and may_be_event(event):
                # A record has a line of its own, also after output without an end of line.
                start = b"" if (logged[-1:] or self._end) == b"\n" else b"\n"
                shown, logged = shown + event, logged + start + record_of(event)
            else:  # the mark is user code's; there may be another one behind it
                shown, logged = shown + begin, logged + begin
                data = inside
        self._end = logged[-1:] or self._end
        return shown, logged

    def rest(self) -> bytes:
        """Return what was held back, at the end of all output."""
        held, self._held = self._held, b""
        return held


def may_be_event(lines: bytes) -> bool:
    """Whether the wrapper can have written this: all lines but the first are indented."""
    first, *others = lines.split(b"\n")
    return (
        len(lines) <= _LONGEST_EVENT
        and first[:1] in _FIRST
        and all(not line or line.startswith(b" ") for line in others)
    )


def record_of(event: bytes) -> bytes:
    """Return an event as a line of JSON, without its end."""
    return b'{"log": "%s"}' % event.decode(errors="replace").translate(_ESCAPES).encode()


class Output:
    """Copies the command's output to our own stdout and to the log.

    Args:
        log: the file that HKube reads.
    """

    def __init__(self, log: LogFile) -> None:
        self._log = log
        self._records = LogRecords()
        self._is_reported = False

    def write(self, data: bytes) -> None:
        """Write data to both, as far as they accept it."""
        shown, logged = self._records.add(data)
        self._show(shown)
        self._log.write(logged)
        if self._log.trouble and not self._is_reported:
            self._is_reported = True
            start = "" if data.endswith(b"\n") else "\n"
            self._show(
                f"{start}hkube: cannot write to the log file ({self._log.trouble}): output "
                "continues here, and in the file as soon as that is possible again\n".encode()
            )

    def finish(self) -> None:
        """Write what was held back."""
        rest = self._records.rest()
        self._show(rest)
        self._log.write(rest)

    def _show(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(1, view) :]
        except OSError:
            pass  # nobody reads our stdout any more; the log may still have a reader


class Command:
    """The running command, its output and its exit code.

    Args:
        arguments: the command and its arguments.

    Attributes:
        exit_code: the exit code; None while the command runs.
        output: non-blocking file descriptor to read the command's output from.
        wakeup: file descriptor that becomes readable when a signal arrives.
    """

    def __init__(self, arguments: list[str]) -> None:
        self.exit_code: int | None = None
        self._pid = 0
        self._early: list[int] = []  # signals that arrived before the command started
        self.wakeup = self._take_signals()
        self.output, writing = os.pipe()
        os.set_blocking(self.output, False)
        self._pid = os.posix_spawnp(
            arguments[0],
            arguments,
            {**os.environ, "HKUBE_LOG_MARKS_EVENTS": "true"},
            file_actions=[(os.POSIX_SPAWN_DUP2, writing, fd) for fd in (1, 2)],
            # In its own process group, the command gets Ctrl-C only once: from us.
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

    # Both handlers run even while a write to our stdout blocks.
    def _forward(self, number: int, frame: object) -> None:
        if not self._pid:
            self._early.append(number)
        elif self.exit_code is None:
            os.kill(self._pid, number)  # not reaped yet, so no other process can have its id

    def _reap(self, number: int, frame: object) -> None:
        """Reap all children that have ended: the command, and orphans that process 1 inherited."""
        try:
            while self._pid:  # before that, the command and orphans cannot be told apart
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._pid:
                    self.exit_code = exit_code_of(status)
                    signal.alarm(_REMAINING_OUTPUT_LIMIT)
        except ChildProcessError:
            pass


def run(log: LogFile, arguments: list[str]) -> int:
    """Run a command, copy its output, and return its exit code.

    Args:
        log: the file to copy the output to, besides our stdout.
        arguments: the command and its arguments.

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
                poll.unregister(fd)  # the command closed its output but still runs
    while copy(command.output, output):
        pass
    output.finish()
    return command.exit_code


def copy(fd: int, output: Output) -> bool:
    """Copy the current content of a pipe; return False if it is empty or closed."""
    try:
        data = os.read(fd, _READ_SIZE)
    except BlockingIOError:
        return False
    output.write(data)
    return bool(data)


def exit_code_of(status: int) -> int:
    """Return the exit code of a container whose process ended with this wait status."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main(arguments: list[str]) -> int:
    """Run `LOG COMMAND...`; if the log is not writable, just become the command."""
    path, *command = arguments
    try:
        try:
            log = LogFile(path, limit_of(os.environ.get("HKUBE_LOG_FILE_LIMIT", "")))
        except OSError as error:
            report(f"cannot write to {path} ({error.strerror})")
            os.execvp(command[0], command)
        return run(log, command)
    except FileNotFoundError:
        report(f"program not found: {command[0]!r}")
        return _NOT_FOUND
    except PermissionError as error:
        report(f"cannot run {command[0]} ({error.strerror})")
        return _CANNOT_RUN


def limit_of(value: str) -> int:
    """Return HKUBE_LOG_FILE_LIMIT in bytes; the default if invalid, which the wrapper reports."""
    value = value.strip()
    is_number = value.isascii() and value.isdecimal() and len(value) < 20
    return ((int(value) if is_number else 0) or _DEFAULT_LIMIT) * _MEGABYTE


def report(text: str) -> None:
    """Write a line to stderr."""
    try:
        os.write(2, f"hkube: {text}\n".encode(errors="backslashreplace"))
    except OSError:
        pass


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
