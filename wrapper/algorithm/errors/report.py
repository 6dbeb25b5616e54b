"""Turns an exception of the user's code into a report for the worker and the user."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import AlgorithmStopped
from .excerpt import MAX_LINE_LENGTH, code_frame, one_line
from .failure import FailureReport, bare_report
from .import_circle import import_circle
from .unpickling import explained
from .user_frames import Files, UserFrame, cause, worth_showing

MAX_MESSAGE = 10_000  # characters
MAX_DETAILS = 64 * 1024  # bytes of UTF-8
MAX_TEXT = 8_000  # characters of one exception's text
MAX_CAUSES = 5
MAX_GROUP_MEMBERS = 10
MAX_GROUP_DEPTH = 3


def report_exception(
    error: BaseException, code: str = "AlgorithmError", folder: str | None = None
) -> FailureReport:
    """Describe an exception by the lines of the user's code; never raises.

    Args:
        error: the exception.
        code: the report's code.
        folder: the algorithm's folder, which contains the user's files; None: the working
            directory.

    Returns:
        A report: the message has at most 10,000 characters, the details at most 64 KiB.
    """
    try:
        files = Files(folder)
        return FailureReport(code, _message(error, files), _details(error, files))
    except Exception:  # odd objects or a lack of memory: a poor report is better than none
        return bare_report(error, code)


def _message(error: BaseException, files: Files) -> str:
    message = _sentence(error, files)
    members = _members(error)
    if members:
        message += f"; first: {_sentence(_first_leaf(error), files)}"
    return _shortened(_encodable(message), MAX_MESSAGE)


def _sentence(error: BaseException, files: Files) -> str:
    """Write ``Type: text (file:line, in function)``, without the parts that are unknown."""
    frames = files.frames(error.__traceback__)
    blamed = cause(frames)
    place = blamed.place if blamed else ""
    text = import_circle(error, frames) or _text(error)
    if isinstance(error, SyntaxError) and error.lineno is not None:
        text, place = _syntax_error(error, place, files)
    sentence = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{sentence} ({place})" if place else sentence


def _syntax_error(error: SyntaxError, place: str, files: Files) -> tuple[str, str]:
    """Return the text and place of a syntax error: of the invalid line, not of its import."""
    if error.filename and not error.filename.startswith("<"):
        return str(error.msg), f"{files.shown(error.filename)}:{error.lineno}"
    line = (error.text or "").strip()
    text = f"{error.msg} in line {error.lineno} of {error.filename or 'the source'}"
    return (f"{text}: {_shortened(line, MAX_LINE_LENGTH)}" if line else text), place


def _text(error: BaseException) -> str:
    try:
        text = str(error)
        return _shortened(explained(text) if type(error) is AttributeError else text, MAX_TEXT)
    except AlgorithmStopped:
        raise
    except BaseException as problem:  # the user's __str__ can raise anything
        return f"<no text: __str__ raised {type(problem).__name__}>"


def _details(error: BaseException, files: Files) -> str:
    lines = [*_traceback(error, files), *_heading(error, files), *_notes(error)]
    lines += _group(error, files, depth=1)
    for relation, other in _chain(error):
        lines += ["", f"{relation} {_sentence(other, files)}"]
        blamed = cause(files.frames(other.__traceback__))
        lines += one_line(blamed) if blamed else []
    return _cut_to_size(_encodable("\n".join(lines)))


def _traceback(error: BaseException, files: Files) -> list[str]:
    frames = files.frames(error.__traceback__)
    blamed = cause(frames)
    lines = ["Traceback (most recent call last):"] if frames else []
    for entry in worth_showing(frames):
        if isinstance(entry, str):
            lines.append(f"  {entry}")
            continue
        lines.append(_location(entry))
        lines += code_frame(entry) if entry is blamed else one_line(entry)
    return lines


def _location(frame: UserFrame) -> str:
    return f'  File "{frame.shown}", line {frame.line}, in {frame.function}'


def _heading(error: BaseException, files: Files) -> list[str]:
    kind = type(error)
    name = kind.__qualname__.rpartition("<locals>.")[2]
    if kind.__module__ not in ("builtins", "__main__"):
        name = f"{kind.__module__}.{name}"
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return [*_invalid_line(error, files), f"{name}: {error.msg}"]
    text = _text(error)
    return [f"{name}: {text}" if text else name]


def _invalid_line(error: SyntaxError, files: Files) -> list[str]:
    lines = [f'  File "{files.shown(error.filename or "<unknown>")}", line {error.lineno}']
    source = (error.text or "").rstrip()
    if source and len(source) <= MAX_LINE_LENGTH:
        text = source.lstrip()
        lines.append(f"    {text}")
        column = (error.offset or 0) - 1 - (len(source) - len(text))
        if 0 <= column <= len(text):
            lines.append(f"    {' ' * column}^")
    return lines


def _notes(error: BaseException) -> list[str]:
    notes = getattr(error, "__notes__", None)  # Python 3.11's add_note
    if not isinstance(notes, (list, tuple)):
        return []
    return [_shortened(note, MAX_TEXT) for note in notes if isinstance(note, str)]


def _group(error: BaseException, files: Files, depth: int) -> list[str]:
    members = _members(error)
    if depth > MAX_GROUP_DEPTH:
        return []
    indent = "  " * depth
    lines = []
    for number, member in enumerate(members[:MAX_GROUP_MEMBERS], start=1):
        lines.append(f"{indent}[{number}] {_sentence(member, files)}")
        blamed = cause(files.frames(member.__traceback__))
        lines += [indent + line for line in (one_line(blamed) if blamed else [])]
        lines += _group(member, files, depth + 1)
    if len(members) > MAX_GROUP_MEMBERS:
        lines.append(f"{indent}... {len(members) - MAX_GROUP_MEMBERS} more")
    return lines


def _members(error: BaseException) -> tuple[BaseException, ...]:
    """Return the members of an ExceptionGroup; also of Python 3.10's backport."""
    if not type(error).__name__.endswith("Group"):
        return ()
    members = getattr(error, "exceptions", None)
    if not isinstance(members, (list, tuple)):
        return ()
    return tuple(member for member in members if isinstance(member, BaseException))


def _first_leaf(error: BaseException) -> BaseException:
    for _ in range(MAX_GROUP_DEPTH):
        members = _members(error)
        if not members:
            break
        error = members[0]
    return error


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    seen = {id(error)}
    for _ in range(MAX_CAUSES):
        relation, following = "caused by", error.__cause__
        if following is None and not error.__suppress_context__:
            relation, following = "while handling", error.__context__
        if following is None or id(following) in seen:
            return
        seen.add(id(following))
        yield relation, following
        error = following


def _encodable(text: str) -> str:
    """Escape lone surrogates (from undecodable file names), which cannot be sent."""
    return text.encode("utf-8", "backslashreplace").decode()


def _shortened(text: str, limit: int) -> str:
    """Leave out the middle: the beginning of a text says what happened, its end often why."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    return f"{text[: limit - tail - 5]} ... {text[-tail:]}"


def _cut_to_size(details: str) -> str:
    encoded = details.encode()
    if len(encoded) <= MAX_DETAILS:
        return details
    half = MAX_DETAILS // 2 - 32
    first = encoded[:half].decode(errors="ignore")
    last = encoded[-half:].decode(errors="ignore")
    return f"{first}\n... left out ...\n{last}"
