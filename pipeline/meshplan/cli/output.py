"""`-o FORMAT[=FILE]`: which reports to write, and where."""

import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from meshplan.cli.terminal import view_of
from meshplan.dataclass import dataclass
from meshplan.errors import SourceError, UsageError
from meshplan.report import REPORTS, Report, View
from meshplan.report.layout import Line, write
from meshplan.result import Result
from meshplan.schema.wording import did_you_mean

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Output:
    """One report and the file it goes to; `-` is the standard output."""

    report: Report
    file: str = STDOUT


def outputs_of(specs: Sequence[str], names: Sequence[str] = ()) -> tuple[Output, ...]:
    """The reports that the options ask for, `names` limiting which there are; the first of them
    if there are no options. Raises UsageError before anything else is done.
    """
    known = {r.name: r for r in REPORTS if not names or r.name in names}
    found = tuple(_output(spec, known) for spec in specs or (next(iter(names or known)),))
    files = [output.file for output in found]
    for file in files:
        if files.count(file) > 1:
            where = "standard output" if file == STDOUT else file
            raise UsageError(
                f"two reports would go to {where}",
                hint="give each its own file, as in -o json=plan.json -o text",
            )
    return found


def _output(spec: str, known: dict[str, Report]) -> Output:
    name, _, file = spec.partition("=")
    if name not in known:
        raise UsageError(
            f'no report "{name}"{did_you_mean(name, known)}', hint=f"there is {', '.join(known)}"
        )
    if "=" in spec and not file:
        raise UsageError(f"-o {spec} names no file", hint=f"as in -o {name}=FILE, or -o {name}")
    if file and file != STDOUT:
        _check_folder(Path(file))
    return Output(known[name], file or STDOUT)


def _check_folder(file: Path) -> None:
    """No run of a minute ends in a folder that is not there."""
    if not file.parent.is_dir():
        raise UsageError(f"cannot write {file}: the folder {file.parent} does not exist")
    if file.is_dir():
        raise UsageError(f"cannot write {file}: it is a folder")


def write_outputs(
    outputs: Sequence[Output], result: Result, *, color: str, verbose: bool, quiet: bool
) -> None:
    """Render each report and write it: files first, and one that fails keeps none of the others
    from being written. Raises SourceError that names all the files that could not be.
    """
    failed: list[Exception] = []
    for output in sorted(outputs, key=lambda output: output.file == STDOUT):
        try:
            content = _render(output, result, color, verbose=verbose)
            if output.file != STDOUT:
                write_file(Path(output.file), content)
            elif not (quiet and output.report.terminal):
                write_stdout(content)
        except BrokenPipeError:
            raise  # whoever reads has seen enough; files are written by now
        except Exception as error:  # noqa: BLE001 - raised again below
            failed.append(error)
    _raise_for(failed)


def _raise_for(failed: Sequence[Exception]) -> None:
    """One error for all; what is not the user's fault is told before what is."""
    ours = [error for error in failed if not isinstance(error, SourceError)]
    if ours:
        raise ours[0]
    if failed:
        sentences = [str(error.args[0]) for error in failed]
        raise SourceError("; ".join(sentences))


def _render(output: Output, result: Result, color: str, *, verbose: bool) -> bytes:
    if not output.report.terminal:
        # A script has to name files by their bytes; whatever else is in text is valid already.
        return output.report.render(result, View()).encode("utf-8", "surrogateescape")
    if output.file != STDOUT:
        return output.report.render(result, View(verbose=verbose)).encode("utf-8", "replace")
    view = view_of(sys.stdout, color, verbose=verbose)
    text = output.report.render(result, view)
    return text.encode(sys.stdout.encoding or "ascii", "backslashreplace")


def write_stdout(content: bytes) -> None:
    """Bytes onto the standard output, whatever it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def write_json(value: object) -> None:
    """A value as JSON onto the standard output."""
    write_stdout((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def write_lines(lines: Iterable[Line]) -> None:
    """Lines onto the standard output, as it can show them."""
    text = write(lines, view_of(sys.stdout, "auto", verbose=False))
    write_stdout(text.encode(sys.stdout.encoding or "ascii", "backslashreplace"))


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Files in a folder, which is made where it is not there."""
    for name, content in sorted(files.items()):
        file = folder / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(file.parent, error) from error
        write_file(file, content)


def write_file(file: Path, content: bytes) -> None:
    """Put a file in its place at once, so that nobody reads half of it."""
    try:
        if file.exists() and not stat.S_ISREG(file.stat().st_mode):
            file.write_bytes(content)  # /dev/stderr, a named pipe
            return
        place = file.resolve()
        descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    except OSError as error:
        raise _unwritable(file, error) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        Path(name).chmod(_mode(place))
        Path(name).replace(place)
    except OSError as error:
        raise _unwritable(file, error) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _mode(place: Path) -> int:
    """The permissions that the file has, or that a new one would get."""
    if place.exists():
        return stat.S_IMODE(place.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _unwritable(file: Path, error: OSError) -> SourceError:
    return SourceError(f"cannot write {file}: {(error.strerror or 'unknown error').lower()}")
