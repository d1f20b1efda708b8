"""`make demo` on a machine that lacks something says what, and what to do, in one sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: What scripts/setup.sh uses besides git and Python.
BASICS = ("sh", "cat", "cksum", "echo", "grep", "ls", "rm", "tail")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder to be the whole PATH: the basics, and nothing else."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in BASICS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """What setting up needs of a checkout, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    shutil.copytree(root / "scripts", folder / "scripts")
    shutil.copytree(
        root / "pipeline", folder / "pipeline", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("examples", "policies", "schemas"):
        (folder / name).mkdir()
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, folder)
    return folder


def script(folder: Path, name: str, text: str) -> Path:
    """An executable shell script on the PATH."""
    path = folder / name
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)
    return path


def set_up(
    checkout: Path, tools: Path, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run scripts/setup.sh with nothing but `tools` on PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    kept.pop("PYTHON", None)
    return subprocess.run(
        [str(tools / "sh"), "scripts/setup.sh", ".venv", *arguments],
        cwd=checkout,
        env=kept | {"PATH": str(tools)} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What a failed run said: one line."""
    assert done.returncode == 1, done
    (line,) = done.stderr.splitlines()
    return line


def test_names_a_missing_git(checkout: Path, tools: Path) -> None:
    said = one_sentence(set_up(checkout, tools))
    assert said.startswith("make: git is not on PATH; install it")


def test_names_a_missing_python(checkout: Path, tools: Path) -> None:
    script(tools, "git", "exit 0")
    said = one_sentence(set_up(checkout, tools))
    assert "needs Python 3.11 or newer and found no python3 that runs; install it" in said


def test_names_a_python_that_is_too_old(checkout: Path, tools: Path) -> None:
    script(tools, "git", "exit 0")
    script(tools, "python3", 'case $1 in --version) echo "Python 3.9.2" ;; *) exit 1 ;; esac')
    said = one_sentence(set_up(checkout, tools))
    assert "needs Python 3.11 or newer and found Python 3.9.2; install it" in said


def test_names_the_python_that_was_asked_for(checkout: Path, tools: Path) -> None:
    script(tools, "git", "exit 0")
    script(tools, "python3", f'exec "{sys.executable}" "$@"')
    said = one_sentence(set_up(checkout, tools, PYTHON="/opt/none/python3.12"))
    assert "found no /opt/none/python3.12 that runs" in said


def test_names_a_missing_venv_module(checkout: Path, tools: Path) -> None:
    script(tools, "git", "exit 0")
    script(
        tools,
        "python3",
        f'case $2 in *ensurepip*) exit 1 ;; *) exec "{sys.executable}" "$@" ;; esac',
    )
    said = one_sentence(set_up(checkout, tools))
    assert "python3 cannot make virtual environments" in said
    assert "sudo apt-get install python3-venv" in said


def test_skips_a_python_that_only_looks_installed(checkout: Path, tools: Path) -> None:
    """pyenv puts a stub on PATH for every version it has, also for those not in use."""
    script(tools, "git", "exit 0")
    script(tools, "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    script(
        tools,
        "python3",
        f'case $2 in *ensurepip*) exit 1 ;; *) exec "{sys.executable}" "$@" ;; esac',
    )
    assert "python3 cannot make" in one_sentence(set_up(checkout, tools))


def test_names_a_missing_network(checkout: Path, tools: Path) -> None:
    script(tools, "git", "exit 0")
    script(tools, "python3", f'exec "{sys.executable}" "$@"')
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    said = one_sentence(set_up(checkout, tools, **nowhere))
    assert "pip cannot reach the package index; check the network" in said
    assert (checkout / ".venv" / "install.log").exists()


def test_leaves_a_folder_alone_that_is_no_environment(checkout: Path, tools: Path) -> None:
    script(tools, "git", "exit 0")
    script(tools, "python3", f'exec "{sys.executable}" "$@"')
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "work.txt").write_text("dear to somebody")
    said = one_sentence(set_up(checkout, tools))
    assert ".venv is there already and is no virtual environment" in said
    assert (checkout / ".venv" / "work.txt").exists()
