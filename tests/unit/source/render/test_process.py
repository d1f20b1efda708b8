"""Renderer processes: what they may use, and how they end."""

import errno
import os
import sys
import time
from pathlib import Path

import pytest

from meshplan.errors import RenderError
from meshplan.settings import RenderSettings
from meshplan.source.render.process import LimitError, Tool, run, watching_the_disk

PYTHON = Tool("python", sys.executable, ("-c",))


def python(code: str, home: Path, **limits: float) -> bytes:
    """What a Python program writes, run as a renderer is."""
    settings = RenderSettings(
        timeout_seconds=limits.get("seconds", 30.0),
        max_output_bytes=int(limits.get("output", 1 << 20)),
    )
    return run(PYTHON, [code], home=home, limits=settings)


def test_the_output_is_what_the_tool_writes(tmp_path: Path) -> None:
    assert python("print('a: 1')", tmp_path) == b"a: 1\n"


def test_nothing_of_the_users_environment_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("KUBECONFIG", "/home/user/.kube/config")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com")
    code = "import os; print('\\n'.join(f'{k}={v}' for k, v in sorted(os.environ.items())))"
    lines = python(code, tmp_path).decode().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    assert "AWS_SECRET_ACCESS_KEY" not in found
    assert found["HOME"] == str(tmp_path)
    assert found["KUBECONFIG"] == os.devnull
    assert found["HTTPS_PROXY"] == "http://127.0.0.1:9"


def test_git_reaches_no_network(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; done = subprocess.run(['git', 'ls-remote', "
        "'https://example.com/a.git'], capture_output=True, text=True); "
        "print(done.returncode, done.stderr)"
    )
    assert b"transport 'https' not allowed" in python(code, tmp_path)


def test_a_tool_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    child = f"import time; time.sleep(2); open({str(mark)!r}, 'w').close()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(LimitError, match=r"did not finish within 0\.5 seconds"):
        python(code, tmp_path, seconds=0.5)
    time.sleep(2.2)
    assert not mark.exists()


def test_a_tool_that_closes_its_output_and_stays_is_ended(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    with pytest.raises(LimitError, match="did not finish"):
        python(code, tmp_path, seconds=0.5)


def test_output_without_end_is_cut_off(tmp_path: Path) -> None:
    code = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    with pytest.raises(LimitError, match="wrote more than 1000000 bytes"):
        python(code, tmp_path, output=1_000_000)


def test_complaints_without_end_do_not_block(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('x' * 10_000_000); print('done')"
    assert python(code, tmp_path) == b"done\n"


def test_a_failure_is_one_line(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('one\\n\\n  two\\n'); sys.exit(3)"
    with pytest.raises(RenderError, match=r"^python failed: one two$"):
        python(code, tmp_path)


def test_the_error_that_kubectl_logs_is_unwrapped(tmp_path: Path) -> None:
    said = 'E1121 03:24:44.06  11827 run.go:72] "command failed" err="no \\"a\\" here"'
    code = f"import sys; sys.stderr.write({said!r}); sys.exit(1)"
    with pytest.raises(RenderError, match=r'^python failed: no "a" here$'):
        python(code, tmp_path)


def test_a_full_disk_is_one_sentence_whoever_notices(tmp_path: Path) -> None:
    code = "import sys; sys.stderr.write('write /tmp/x: no space left on device'); sys.exit(1)"
    with pytest.raises(LimitError, match="no space left for the temporary copy"):
        python(code, tmp_path)
    with pytest.raises(LimitError, match="no space left for the temporary copy"):  # noqa: SIM117
        with watching_the_disk():
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_tool_that_cannot_be_started_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="cannot be started"):
        run(Tool("gone", "/nowhere/gone"), [], home=tmp_path, limits=RenderSettings())
