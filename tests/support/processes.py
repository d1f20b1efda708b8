"""The command line as a process of its own, with one part of the program replaced."""

import os
import subprocess
import sys

import pytest

from support.git import Repository

TWO_CORES = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and two cores"
)

#: Runs `diff`; says on stderr how many processes it forked.
PROGRAM = """
import os, sys
from meshplan import cli, forked
parent, forks, fork = os.getpid(), [], os.fork
def counted():
    forks.append(1)
    return fork()
os.fork = counted
{}
status = cli.main(["diff", "r0..r1", "-o", "json", "--no-proof"])
print(len(forks), file=sys.stderr)
sys.exit(status)
"""
ONE_CORE = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
DIES = """
def die(work, rest, answers, orders):
    os.write(answers, (80).to_bytes(8) + b'{"' + b"0" * 40)
    os.kill(os.getpid(), 9)
forked._work = die
"""


def run(repository: Repository, replaced: str) -> tuple[int, str, str]:
    """What one program prints: the status, the result, and how many processes it made."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(replaced)],
        cwd=repository.path,
        env={**os.environ, "MESHPLAN_NO_CACHE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.strip()
