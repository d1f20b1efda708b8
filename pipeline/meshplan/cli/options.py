"""Options that several commands have, so that they are called and explained the same everywhere."""

from collections.abc import Callable
from contextlib import chdir
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Day(click.ParamType[str]):
    """A date as in 2026-11-20."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The date in its canonical form."""
        try:
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            self.fail(f"{value!r} is no date; write it as in 2026-11-20", param, ctx)


def today() -> str:
    """The day it is in UTC: the same wherever the command runs."""
    return datetime.now(UTC).date().isoformat()


def _enter(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    """Go where `-C` says, as git does: every other path on the command line is relative to it."""
    if value is not None:
        try:
            ctx.with_resource(chdir(value))
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise click.UsageError(f"cannot go to {value}: {reason}", ctx) from error


_DIRECTORY = click.option(
    "-C",
    "--directory",
    type=click.Path(path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_enter,
    metavar="DIR",
    help="Run as if started in DIR.",
)
_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read the settings from FILE, not from .meshplan.yaml.",
)


def place_options(command: Command) -> Command:
    """Where to run, and with which settings."""
    for option in (_CONFIG, _DIRECTORY):
        command = option(command)
    return command


def source_options(command: Command) -> Command:
    """Where to read: repository, settings, targets."""
    for option in reversed(
        (
            _DIRECTORY,
            _CONFIG,
            click.option(
                "--target",
                "targets",
                multiple=True,
                metavar="NAME",
                help="Only this target; may be given several times.",
            ),
            click.option(
                "--closed",
                is_flag=True,
                help="What the manifests do not define does not exist.",
            ),
            click.option(
                "--mesh",
                multiple=True,
                metavar="NAME=VALUE",
                help="A fact of the mesh, as in enableAutoMtls=false; may be given several times.",
            ),
            click.option("--no-cache", is_flag=True, help="Parse every file again."),
        )
    ):
        command = option(command)
    return command


def report_options(formats: str) -> Callable[[Command], Command]:
    """What to write and how; `formats` names the reports there are."""

    def decorate(command: Command) -> Command:
        for option in reversed(
            (
                click.option(
                    "-o",
                    "--output",
                    "outputs",
                    multiple=True,
                    metavar="FORMAT[=FILE]",
                    help=f"What to write, and where: {formats}. May be given several times.",
                ),
                click.option(
                    "--color",
                    type=click.Choice(["auto", "always", "never"]),
                    default="auto",
                    help="Colours; auto looks at the terminal, NO_COLOR and FORCE_COLOR.",
                ),
                click.option(
                    "-q", "--quiet", is_flag=True, help="No text report, only the status."
                ),
                click.option("-v", "--verbose", is_flag=True, help="Show everything."),
            )
        ):
            command = option(command)
        return command

    return decorate


#: Names of the deployers whose order is known.
DEPLOYERS = ("argocd", "flux", "helm", "kubectl", "kapp")


def proof_options(command: Command) -> Command:
    """What is proven besides the plan, or that nothing is."""
    for option in reversed(
        (
            click.option(
                "--proof/--no-proof",
                default=None,
                help="Whether to prove the plan; without, its verdict is unknown and holds nothing back.",
            ),
            click.option(
                "--deployer",
                "deployers",
                multiple=True,
                type=click.Choice(DEPLOYERS),
                help="Say what this deployer would do to requests; may be given several times.",
            ),
        )
    ):
        command = option(command)
    return command


def judgement_options(command: Command) -> Command:
    """What makes the exit status 1."""
    for option in reversed(
        (
            click.option(
                "--fail-on",
                type=click.Choice(["error", "warning", "info"]),
                help="The mildest new finding that makes the exit status 1.",
            ),
            click.option("--exit-zero", is_flag=True, help="Exit with 0 where it would be 1."),
            click.option(
                "--as-of",
                type=Day(),
                metavar="DATE",
                help="The day that counts as today, as in 2026-11-20.",
            ),
        )
    ):
        command = option(command)
    return command
