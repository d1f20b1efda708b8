"""Where the data that travels with meshplan is: `schemas/`, `policies/`, `examples/`."""

from pathlib import Path


def data_path(name: str) -> Path:
    """The folder `name`, in an installed wheel as well as in a checkout."""
    packaged = Path(__file__).parent / "_data" / name
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / name
