"""The entry point: everything that can go wrong ends here, with an exit code that says what it was.

Python exits 1 on an uncaught exception, and 1 here means that a model failed: so nothing may leave uncaught, a failed
import included. Only the standard library is imported before the net is spread.
"""

from __future__ import annotations

import signal
import sys


def run() -> None:
    """Run the command line and exit the process."""
    # A pipeline cancels a job by SIGTERM, and a shell starts jobs in the background with SIGINT ignored.
    for cancelling in (signal.SIGINT, signal.SIGTERM):
        signal.signal(cancelling, signal.default_int_handler)
    try:
        code = _run_app()
    except KeyboardInterrupt:
        print("interrupted; no run was left behind", file=sys.stderr)
        code = 130
    except BaseException as error:
        code = _tell(error)
    _flush()
    sys.exit(code)


def _run_app() -> int:
    from gatekeeper.cli import main

    return main(sys.argv[1:])


def _tell(error: BaseException) -> int:
    code = getattr(error, "exit_code", None)
    if getattr(error, "problems", None) and code is not None:
        print(error, file=sys.stderr)
        return int(code)
    print("error[GK599]: an unexpected error; nothing was judged", file=sys.stderr)
    print(f"why:  {type(error).__name__}", file=sys.stderr)
    print(f"help: the way to it is written down in {_write_log(error)}", file=sys.stderr)
    return 5


def _write_log(error: BaseException) -> str:
    """Write where the error came from. Its message stays out: it may hold a value from a patient's file."""
    import os
    import tempfile
    import traceback

    lines = traceback.format_tb(error.__traceback__)
    handle, path = tempfile.mkstemp(prefix="gatekeeper-error-", suffix=".log")
    with os.fdopen(handle, "w") as stream:
        stream.write(f"{type(error).__module__}.{type(error).__name__}\n{''.join(lines)}")
    return path


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    run()
