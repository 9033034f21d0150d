"""The entry point: everything that can go wrong ends here, with an exit code that says what it was.

Python exits 1 on an uncaught exception, and 1 here means that a model failed: so nothing may leave uncaught, a failed
import or an output that cannot be written included. Only the standard library is imported before the net is spread.
"""

from __future__ import annotations

import gc
import os
import signal
import sys


def run() -> None:
    """Run the command line and exit the process."""
    try:
        # A pipeline cancels a job by SIGTERM, and a shell starts jobs in the background with SIGINT ignored.
        for cancelling in (signal.SIGINT, signal.SIGTERM):
            signal.signal(cancelling, signal.default_int_handler)
        _make_streams_forgiving()
        code = _run_app()
    except KeyboardInterrupt:
        _say("interrupted; no finished run was left behind (what a check had found by then: `check --resume`)")
        code = 130
    except SystemExit as wish:
        # The command line's library ends the process itself after completing a word (0), or on a broken pipe (1).
        code = 0 if wish.code in (0, None) else _lost("its reader has gone")
    except BaseException as error:
        code = _tell(error)
    sys.exit(_flushed(code))


def _make_streams_forgiving() -> None:
    """Write what the encoding of a terminal or a log lacks in plain letters, rather than fail after a run."""
    import codecs

    codecs.register_error("plain_letters", _plain_letters)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="plain_letters")


_PLAIN_LETTERS = {
    "─": "-",
    "━": "=",
    "●": "o",
    "✓": "+",
    "✗": "x",
    "≥": ">=",
    "≤": "<=",
    "–": "-",
    "·": ".",
    "…": "...",
}


def _plain_letters(error: UnicodeError) -> tuple[str, int]:
    """Give the letters that stand in for what cannot be encoded: like ones where there are such, else an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    told = (_PLAIN_LETTERS.get(letter) or ascii(letter)[1:-1] for letter in lacking)
    return "".join(told), error.end


def _run_app() -> int:
    # Imports and records make many objects and few cycles: look for those less often than every 700 objects.
    gc.set_threshold(50_000, 20, 50)
    from gatekeeper.cli import main

    return main(sys.argv[1:])


def _tell(error: BaseException) -> int:
    code = getattr(error, "exit_code", None)
    if getattr(error, "problems", None) and code is not None:
        _say(str(error))
        return int(code)
    _say("error[GK599]: an unexpected error; nothing was judged")
    _say(f"why:  {type(error).__name__}")
    try:
        _say(f"help: the way to it is written down in {_write_log(error)}")
    except OSError:
        _say("help: no log could be written; give TMPDIR a folder that can be written")
    return 5


def _lost(why: str) -> int:
    _say("error[GK113]: the output could not be written to its end")
    _say(f"why:  {why}")
    return 5


def _say(line: str) -> None:
    try:
        print(line, file=sys.stderr)
    except (OSError, ValueError):
        # Nowhere is left to say it; the exit code still does.
        _discard(2)


def _write_log(error: BaseException) -> str:
    """Write where the error came from. Its message stays out: it may hold a value from a patient's file."""
    import tempfile
    import traceback

    lines = traceback.format_tb(error.__traceback__)
    handle, path = tempfile.mkstemp(prefix="gatekeeper-error-", suffix=".log")
    with os.fdopen(handle, "w") as stream:
        stream.write(f"{type(error).__module__}.{type(error).__name__}\n{''.join(lines)}")
    return path


def _flushed(code: int) -> int:
    """Empty stdout; a result that did not reach the reader makes the code 5, unless it told of an error already."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        _discard(1)
        return code if code in (2, 3, 5, 130) else _lost(type(error).__name__)
    return code


def _discard(descriptor: int) -> None:
    """Let what is still buffered for a stream go nowhere, so that the interpreter's end does not fail on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


if __name__ == "__main__":
    run()
