"""kubectl as the judge of what a manifest says: `annotate --local` needs no cluster."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: What kubectl says of a document that it can read, and that is no object.
_NO_OBJECT = ("unstructured.detector", "Object 'Kind' is missing")

#: Without a kubeconfig, so that nobody's cluster is asked anything.
_ENVIRONMENT = {**os.environ, "KUBECONFIG": os.devnull, "LC_ALL": "C"}


@dataclass(frozen=True)
class Verdict:
    """What kubectl makes of one file."""

    objects: tuple[Any, ...]
    #: The line of standard error that names the file; "" if all is well.
    error: str


def version() -> tuple[int, int]:
    """The version of kubectl, as in (1, 33)."""
    command = ["kubectl", "version", "--client", "-o", "json"]
    done = subprocess.run(command, capture_output=True, check=True, env=_ENVIRONMENT)
    found = json.loads(done.stdout)["clientVersion"]
    return int(found["major"]), int(found["minor"].strip("+"))


def verdicts(files: Mapping[str, bytes]) -> dict[str, Verdict]:
    """What kubectl reads from files, all in one call.

    The keys are words such as `c0001`; the objects of a file are told by their names, which have to
    begin with its key.
    """
    objects, errors = read_all(files)
    return {
        key: Verdict(
            tuple(o for o in objects if str(o["metadata"].get("name")).startswith(key)),
            next((line for line in errors if f"{key}.yaml" in line), ""),
        )
        for key in files
    }


def read_all(files: Mapping[str, bytes]) -> tuple[list[Any], list[str]]:
    """All objects of files in the order of their keys, and what kubectl complains about."""
    with tempfile.TemporaryDirectory() as folder:
        for key, content in files.items():
            (Path(folder) / f"{key}.yaml").write_bytes(content)
        command = ["kubectl", "annotate", "--local", "-f", folder, "k=v", "-o", "json"]
        done = subprocess.run(command, capture_output=True, check=False, env=_ENVIRONMENT)
    errors = [
        line
        for line in done.stderr.decode("utf-8", "replace").splitlines()
        if not any(harmless in line for harmless in _NO_OBJECT)
    ]
    return [_without_annotation(found) for found in _values(done.stdout.decode())], errors


def _values(text: str) -> Iterator[Any]:
    decoder, at, end = json.JSONDecoder(), 0, len(text.rstrip())
    while at < end:
        value, at = decoder.raw_decode(text, at)
        yield value
        at = text.find("{", at) if at < end else end


def _without_annotation(value: Any) -> Any:
    metadata = value["metadata"]
    del metadata["annotations"]["k"]
    if not metadata["annotations"]:
        del metadata["annotations"]
    return value


def comparable(value: Any) -> Any:
    """A JSON value in which numbers and booleans cannot be taken for each other.

    kubectl prints a double of integral value without a point, and reads an integer outside int64 as
    a double.
    """
    match value:
        case dict():
            return {key: comparable(item) for key, item in value.items()}
        case list():
            return [comparable(item) for item in value]
        case bool() | str() | None:
            return value
        case int() if -(2**63) <= value < 2**63:
            return ("number", value)
        case _:
            return ("number", float(value))
