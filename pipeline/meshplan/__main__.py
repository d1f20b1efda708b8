"""The command `meshplan`."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes 3 ms to import
    from typing import NoReturn


def main() -> None:
    """Run the command line; ends the process."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Answered before anything heavy is imported: scripts and editors ask it all the time.
        from meshplan import __version__  # noqa: PLC0415

        sys.stdout.write(f"meshplan {__version__}\n")
        return
    _collect_rarely()
    from meshplan.cli import main as run  # noqa: PLC0415

    _leave(run())


def _collect_rarely() -> None:
    """Look for garbage 140 times less often.

    What a run makes stays until its end, and to walk over it again and again takes a quarter of
    the time; what little garbage there is (cycles alone) can wait.
    """
    import gc  # noqa: PLC0415 - `--version` needs none of it

    gc.set_threshold(100_000, 10, 10)


def _leave(status: int) -> "NoReturn":
    """End at once: freeing a million objects one by one takes 0.1 s, and the kernel does it too."""
    import atexit  # noqa: PLC0415 - `--version` needs neither
    import os  # noqa: PLC0415

    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # whoever listened has gone: the interpreter knows what to do
        sys.exit(status)
    atexit._run_exitfuncs()  # noqa: SLF001 - as the interpreter would; there is no public name
    os._exit(status)


if __name__ == "__main__":
    main()
