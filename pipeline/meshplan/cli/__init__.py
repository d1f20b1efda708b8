"""The command line: parse, call one stage, write, exit status."""

import os
import sys
from collections.abc import Sequence

import click

from meshplan import __version__

#: Commands in the order of `meshplan --help`, with their one line; each is a module of this
#: package with a command of the same name, imported when it is asked for.
COMMANDS = {
    "diff": "Show what changes between two revisions, and in which order it is to be applied.",
    "check": "Check one revision: the working tree, or the files and folders named.",
    "trace": "Tell what becomes of a request, and which objects decide it.",
    "explain": "Tell what a rule is about, why it matters, and what to do.",
    "graph": "Draw which changed object waits for which other.",
    "comment": "Keep the one comment of a pull request up to date.",
    "verify": "Confirm or refute the plans of a saved result.",
    "argocd": "Make a sync of Argo CD safe, or refuse it.",
    "targets": "List what the repository deploys, and what could not be read.",
    "policy": "List, compile and test rules.",
    "init": "Write settings, a workflow and a hook for this repository.",
    "demo": "Make a small repository with a change, and show its plan.",
    "schema": "Print the JSON Schema of a result or of the settings.",
    "completion": "Print the script that completes commands in your shell.",
}

EXIT_STATUS = (
    "Exit status: 0 nothing to hold back; 1 findings at or above the threshold; 2 usage or "
    "settings; 3 something that changed could not be read or rendered."
)

_INTERRUPTED = 130
_BROKEN_PIPE = 141


class LazyGroup(click.Group):
    """Commands that are imported when they are run, not to print the list of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of importance."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        import importlib  # noqa: PLC0415 - nothing else needs it

        module = importlib.import_module(f"meshplan.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, but a mistyped name gets a suggestion."""
        wrong = args and args[0] not in COMMANDS and not args[0].startswith("-")
        # A shell that asks for completions shows whatever is said, in the middle of the line.
        if wrong and not ctx.resilient_parsing:
            from meshplan.schema.wording import did_you_mean  # noqa: PLC0415 - only on an error

            hint = did_you_mean(args[0], COMMANDS)
            raise click.UsageError(f'no command "{args[0]}"{hint}', ctx)
        return super().resolve_command(ctx, args)


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_STATUS,
)
@click.version_option(__version__, "-V", "--version", message="meshplan %(version)s")
def cli() -> None:
    """Plan, prove and check changes to Istio and Kubernetes manifests before they are applied.

    `meshplan diff` compares the working tree with HEAD; `meshplan diff main...` a branch with where
    it left main. Nothing of a repository is ever executed, and no cluster is asked.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit status; whatever goes wrong is one sentence on stderr."""
    try:
        if "_MESHPLAN_COMPLETE" in os.environ:
            cli.main(prog_name="meshplan")
        # Not `cli.main`: it has its own ideas of broken pipes and interrupts.
        given = sys.argv[1:] if arguments is None else list(arguments)
        with cli.make_context("meshplan", given) as context:
            status = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _misused(error)
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", status=_INTERRUPTED)
    except BrokenPipeError:
        _abandon_stdout()
        return _BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last resort: a sentence, not a traceback
        return _failed(error)
    return status if isinstance(status, int) else 0


def _misused(error: click.ClickException) -> int:
    """The command line is not understood: said as every other error."""
    message = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "meshplan"
    hint = f"`{command} --help` shows what there is"
    return _say(message[:1].lower() + message[1:], hint, status=2)


def _failed(error: Exception) -> int:
    from meshplan.errors import MeshplanError  # noqa: PLC0415 - only on an error

    if os.environ.get("MESHPLAN_DEBUG"):
        import traceback  # noqa: PLC0415 - only on an error

        traceback.print_exception(error)
    if isinstance(error, MeshplanError):
        return _say(error.sentence, error.hint, status=error.exit_status)
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return _say(f"{name}{error.strerror.lower()}", status=3)
    # Not its text: that may hold what a manifest holds.
    kind = type(error).__name__
    return _say(
        f"meshplan itself failed ({kind}); that is a fault of meshplan, not of your manifests",
        "run it again with MESHPLAN_DEBUG=1 and report what it prints",
        status=3,
    )


def _say(message: str, hint: str = "", *, status: int) -> int:
    from meshplan.report.layout import printable  # noqa: PLC0415 - only on an error

    lines = [f"error: {message}", *([f"hint: {hint}"] if hint else [])]
    if status == _INTERRUPTED:
        lines = [message]
    for entry in lines:
        click.echo("\n".join(printable(row) for row in entry.split("\n")), err=True)
    return status


def _abandon_stdout() -> None:
    """Whoever read the output has gone: keep the interpreter from complaining when it flushes."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
