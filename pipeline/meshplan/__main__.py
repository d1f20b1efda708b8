"""The command `meshplan`."""

import sys


def main() -> None:
    """Run the command line; ends the process."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Answered before anything heavy is imported: scripts and editors ask it all the time.
        from meshplan import __version__  # noqa: PLC0415

        sys.stdout.write(f"meshplan {__version__}\n")
        return
    from meshplan.cli import main as run  # noqa: PLC0415

    sys.exit(run())


if __name__ == "__main__":
    main()
