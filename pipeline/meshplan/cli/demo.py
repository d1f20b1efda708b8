"""`meshplan demo`: a small repository with a change, and its plan."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import click

from meshplan.data import data_path
from meshplan.errors import SourceError, UsageError

#: Fixed people and dates, and nothing of the user's configuration: no hooks, no signing, no
#: template, and the same commit ids for everyone.
_IDENTITY = ("meshplan demo", "demo@meshplan.invalid", "2026-01-01T12:00:00Z")
_GIT = (
    *("git", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false"),
    *("-c", "core.autocrlf=false", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"),
)


@click.command("demo", short_help="Make a small repository with a change, and show its plan.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Make the repository in DIR, which must not exist, and keep it.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def command(keep: Path | None, color: str) -> int:
    """Make a small repository with a change, and show the plan of the change.

    Two commits of a shop in an Istio mesh: a canary of one service, another host for egress,
    a deployment that goes. No cluster is needed.
    """
    # Late: `--help` needs none of it.
    from meshplan.cli.diff import request_of  # noqa: PLC0415
    from meshplan.cli.output import outputs_of, write_outputs  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415
    from meshplan.run import diff_revisions  # noqa: PLC0415

    folder = _folder(keep)
    try:
        make_repository(folder)
        with Progress() as progress:
            result = diff_revisions(request_of("base..head", directory=folder), progress)
        write_outputs(outputs_of(()), result, color=color, verbose=False, quiet=False)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    click.echo()
    if keep is None:
        click.echo("The repository is gone again. To keep it and look into it:")
        click.echo("    meshplan demo --keep demo")
    else:
        click.echo("To see it again, and in other forms:")
        click.echo(f"    cd {keep} && meshplan diff base..head")
        click.echo(f"    cd {keep} && meshplan diff base..head -o script")
    return result.exit_status


def _folder(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="meshplan-demo-"))
    try:
        keep.mkdir()
    except FileExistsError:
        raise UsageError(f"{keep} exists already", hint="name a folder that does not") from None
    except OSError as error:
        raise UsageError(f"cannot make {keep}: {(error.strerror or '').lower()}") from error
    return keep


def make_repository(folder: Path) -> None:
    """Commit `examples/demo/base` and `examples/demo/head` with the tags `base` and `head`."""
    examples = data_path("examples") / "demo"
    _git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    for tag in ("base", "head"):
        for entry in folder.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        # With the times of the examples Git would take a file of the same size for unchanged.
        shutil.copytree(examples / tag, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
        _git(folder, "add", "--all", "--force")
        _git(folder, "commit", "--quiet", "--no-verify", f"--message=The shop: {tag}")
        _git(folder, "tag", tag)


def _git(folder: Path, *arguments: str) -> None:
    name, email, when = _IDENTITY
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_NAME": name for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": email for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_DATE": when for role in ("AUTHOR", "COMMITTER")},
    }
    try:
        subprocess.run(
            [*_GIT, *arguments], cwd=folder, env=environment, check=True, capture_output=True
        )
    except FileNotFoundError:
        raise SourceError("git is not installed", hint="meshplan reads Git repositories") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        raise SourceError(f"git {arguments[0]} failed: {said[-1] if said else ''}") from error
