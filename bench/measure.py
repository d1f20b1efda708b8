"""Run a command and take its time, CPU and peak memory from the kernel.

A process starts with the peak memory of the one that forked it, so the command is started by a
small interpreter of its own (this file, run as a script) and not by the caller, who may hold much.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Whoever installs a package has its bytecode, also where a developer's machine writes none.
_AS_INSTALLED = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a command."""

    status: int
    stdout: bytes
    stderr: bytes
    #: Seconds from start to end, and of processor time of it and its children.
    wall: float
    cpu: float
    #: The largest resident set of it or one of its children, in MB.
    peak: float


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: int = 600,
) -> Run:
    """Run a command to its end; whether it succeeds is the caller's business.

    After `timeout` seconds it is killed, which its status tells.
    """
    with tempfile.TemporaryDirectory(prefix="measure-") as folder:
        out, err, usage = (Path(folder) / name for name in ("out", "err", "usage"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            subprocess.run(
                [sys.executable, "-SE", __file__, str(usage), str(timeout), *command],
                cwd=cwd,
                env={**os.environ, **_AS_INSTALLED, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                check=True,
            )
        figures = json.loads(usage.read_text())
        return Run(stdout=out.read_bytes(), stderr=err.read_bytes(), **figures)


def _main(usage: str, timeout: str, command: Sequence[str]) -> None:
    begin = time.perf_counter()
    process = subprocess.Popen(command)
    signal.signal(signal.SIGALRM, lambda *_: process.kill())
    signal.alarm(int(timeout))
    _, status, spent = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    figures = {
        "status": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "cpu": spent.ru_utime + spent.ru_stime,
        # Linux counts in KiB, macOS in bytes.
        "peak": spent.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024),
    }
    Path(usage).write_text(json.dumps(figures))
    process.returncode = figures["status"]


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], sys.argv[3:])
