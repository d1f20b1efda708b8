"""`-o` several times: what cannot be written keeps nothing else from being written."""

import errno
from pathlib import Path
from typing import Any

import pytest

from meshplan.cli import main, output
from meshplan.errors import SourceError
from meshplan.report import REPORTS, Report, markdown
from support.manifests import BASE, HEAD
from support.results import example

FILES = {
    "text": "a.txt",
    "sarif": "a.sarif",
    "markdown": "b.md",
    "junit": "c.xml",
    "github": "d.log",
    "json": "e.json",
}


def write(*specs: str) -> None:
    found = output.outputs_of(specs)
    output.write_outputs(found, example(), color="never", verbose=False, quiet=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_formats_at_once(
    repo: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    made = repo(BASE, HEAD)
    monkeypatch.chdir(made.path)
    wanted = [f"{name}={file}" for name, file in FILES.items()]
    main(["diff", "r0..r1", *(word for spec in wanted for word in ("-o", spec))])
    assert capfd.readouterr().out == ""
    for report in REPORTS:
        if report.name in FILES:
            capfd.readouterr()
            main(["diff", "r0..r1", "-o", report.name])
            said = capfd.readouterr().out
            assert Path(FILES[report.name]).read_text("utf-8") == said


def test_the_others_are_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    real = output.write_file

    def full(file: Path, content: bytes) -> None:
        if file.name in ("a.sarif", "c.xml"):
            raise SourceError(f"cannot write {file}: no space left on device")
        real(file, content)

    monkeypatch.setattr(output, "write_file", full)
    with pytest.raises(SourceError) as caught:
        write("sarif=a.sarif", "text", "markdown=b.md", "junit=c.xml", "json=e.json")
    assert str(caught.value) == (
        "cannot write a.sarif: no space left on device; cannot write c.xml: no space left on device"
    )
    assert caught.value.exit_status == 3
    assert sorted(path.name for path in folder.iterdir()) == ["b.md", "e.json"]
    assert b"held back" in capfdbinary.readouterr().out


def test_a_real_file_that_refuses(folder: Path) -> None:
    """/dev/full takes no byte."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(SourceError, match=r"^cannot write /dev/full: no space left on device$"):
        write("sarif=/dev/full", "markdown=b.md")
    assert (folder / "b.md").read_text("utf-8").startswith("## ")


def test_files_come_before_the_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(content: bytes) -> None:
        raise BrokenPipeError(errno.EPIPE, "broken pipe")

    monkeypatch.setattr(output, "write_stdout", closed)
    with pytest.raises(BrokenPipeError):
        write("text", "json=e.json")
    assert (folder / "e.json").is_file()


def test_a_report_that_fails_keeps_no_other_from_being_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(markdown, "render", broken)
    reports = (Report("broken", "fails", "markdown"), *REPORTS)
    monkeypatch.setattr(output, "REPORTS", reports)
    with pytest.raises(ZeroDivisionError):
        write("broken=x", "json=e.json")
    assert [path.name for path in folder.iterdir()] == ["e.json"]
