"""`meshplan argocd`: make a sync of Argo CD safe, or refuse it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meshplan.cli.options import Command, source_options

if TYPE_CHECKING:
    from meshplan.argocd.gate import Asked
    from meshplan.argocd.server import Applications
    from meshplan.argocd.stamp import Stamping
    from meshplan.settings import Settings


@click.group("argocd", short_help="Make a sync of Argo CD safe, or refuse it.")
def command() -> None:
    """Make a sync of Argo CD safe, or refuse it.

    Argo CD syncs in an order of its own and waits for no proxy. `stamp` writes the waves that a
    change needs into its manifests; `gate` is a PreSync hook that refuses what is not proven safe;
    `apply` is one that carries out what waves cannot.
    """


@command.command("stamp", short_help="Write sync waves and barriers for one change.")
@click.argument("revision", required=False, metavar="[BASE]")
@source_options
@click.option(
    "--prune-last",
    is_flag=True,
    help="PruneLast=true is among the sync options of the Application.",
)
@click.option(
    "--settle",
    type=click.IntRange(1, 3600),
    default=15,
    metavar="SECONDS",
    help="How long a barrier waits for proxies.",
)
@click.option("--image", metavar="IMAGE", help="The image of barriers; it has to have `sleep`.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, as a diff.")
def stamp(
    revision: str | None,
    settle: int,
    image: str | None,
    *,
    prune_last: bool,
    dry_run: bool,
    **options: Any,
) -> int:
    """Write the sync waves that a change needs into its manifests, with barriers between them.

    The change is that of the working tree against BASE, or HEAD. Annotations are set in the files
    and nothing else in them is touched; barriers are Jobs in a file meshplan-barriers.yaml. Before
    anything is written, what would be is put into the order in which Argo CD syncs it, and proven.

    \b
    Exit status: 0 the sync is safe; 1 waves cannot make it safe; 2 usage; 3 unreadable.
    """
    # Late: `--help` needs none of it.
    from meshplan.argocd.barrier import IMAGE, Barriers  # noqa: PLC0415
    from meshplan.argocd.stamp import stamp as stamped  # noqa: PLC0415
    from meshplan.cli.diff import request_of, revision_range  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415

    request = request_of(revision_range((revision,) if revision else ()), **options)
    how = Barriers(settle, image or IMAGE)
    with Progress() as progress:
        found = stamped(request, how, progress, prune_last=prune_last)
    _tell(found, dry_run=dry_run)
    if not dry_run:
        _write(found)
    return 0 if found.is_safe else 1


def _application_options(command: Command) -> Command:
    """Which Application, and who knows it."""
    for option in reversed(
        (
            click.option("--application", required=True, metavar="NAME", help="The Application."),
            click.option(
                "--namespace",
                default="argocd",
                metavar="NAME",
                help="Where the Application is.",
            ),
            click.option(
                "--server",
                envvar="ARGOCD_SERVER",
                metavar="ADDRESS",
                help="Argo CD's API, with a token in ARGOCD_AUTH_TOKEN; without, Kubernetes is asked.",
            ),
            click.option(
                "--ca", metavar="FILE", help="The certificate authority of Argo CD's address."
            ),
            click.option("--plain", is_flag=True, help="Argo CD's address may be unencrypted."),
            click.option(
                "--before",
                type=click.Choice(["auto", "history", "live"]),
                default="auto",
                help="What the sync is compared with; auto is the history if there is one, else live.",
            ),
            click.option(
                "--wait",
                type=click.FloatRange(0, 3600),
                default=60.0,
                metavar="SECONDS",
                help="How long to wait until Argo CD has said which commit it syncs.",
            ),
            click.option(
                "--repository", metavar="URL", help="Where to fetch commits from instead."
            ),
            click.option(
                "--config",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                help="Read the settings from FILE.",
            ),
            click.option(
                "--closed", is_flag=True, help="What the manifests do not define does not exist."
            ),
            click.option(
                "--mesh",
                multiple=True,
                metavar="NAME=VALUE",
                help="A fact of the mesh, as in enableAutoMtls=false; may be given several times.",
            ),
            click.option(
                "--termination-log",
                type=click.Path(path_type=Path, dir_okay=False),
                default=Path("/dev/termination-log"),
                metavar="FILE",
                help="Where Kubernetes reads why a container has ended.",
            ),
        )
    ):
        command = option(command)
    return command


@command.command("gate", short_help="Refuse a sync that is not proven safe; a PreSync hook.")
@_application_options
@click.option(
    "--settled",
    is_flag=True,
    help="Take each group of writes to be in force before the next one is sent off.",
)
def gate(termination_log: Path, **options: Any) -> int:
    """Refuse a sync that is not proven safe.

    Run as a PreSync hook, in a Job: it asks which commit is being synced, reads the manifests of
    that and of the last sync, and proves the order of the sync with nothing assumed in its favour.
    What cannot be read or decided is refused. deploy/argocd has the manifests.

    \b
    Exit status: 0 safe; 1 not proven safe; 2 usage; 3 not known what the sync will do.
    """
    # Late: `--help` needs none of it.
    from meshplan.argocd.gate import rule  # noqa: PLC0415
    from meshplan.delivery.http import Clock  # noqa: PLC0415

    def ruled() -> int:
        source, asked, settings = _asked(**options)
        found = rule(asked, source, settings, Clock(), _log)
        _end(termination_log, found.text)
        return 0 if found.allowed else 1

    return _told(termination_log, ruled)


@command.command("apply", short_help="Carry out what a sync cannot; a PreSync hook.")
@_application_options
@click.option(
    "--settle",
    type=click.FloatRange(0, 3600),
    default=15.0,
    metavar="SECONDS",
    help="How long proxies take to take over what was written.",
)
@click.option(
    "--longest",
    type=click.FloatRange(1, 86_400),
    default=600.0,
    metavar="SECONDS",
    help="How long a rollout or a deletion is waited for.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be carried out.")
def apply(
    termination_log: Path, settle: float, longest: float, *, dry_run: bool, **options: Any
) -> int:
    """Carry out what a sync cannot, and let the sync go on.

    Run as a PreSync hook, in a Job of the cluster that is synced to: it finds a plan for the change,
    carries out every wave through the last that is not the final version of an object, with its
    gates, and as many more as it takes until what is left for the sync is proven safe. A run that
    was interrupted is taken up where it stopped. Where no plan is safe the sync is refused.

    \b
    Exit status: 0 the sync is safe now; 1 no safe plan; 2 usage; 3 something cannot be known or done.
    """
    # Late: `--help` needs none of it.
    import os  # noqa: PLC0415

    from meshplan.argocd.carry import Waits  # noqa: PLC0415
    from meshplan.argocd.job import Means, carry_out  # noqa: PLC0415
    from meshplan.argocd.server import Cluster  # noqa: PLC0415
    from meshplan.delivery.http import Clock  # noqa: PLC0415

    def ruled() -> int:
        source, asked, settings = _asked(**options)
        cluster = source if isinstance(source, Cluster) else Cluster.inside(os.environ)
        means = Means(source, cluster.http, Clock(), Waits(settle, longest), _log)
        found = carry_out(asked, means, settings, dry_run=dry_run)
        _end(termination_log, found.text)
        return 0 if found.allowed else 1

    return _told(termination_log, ruled)


def _asked(**options: Any) -> "tuple[Applications, Asked, Settings]":
    import os  # noqa: PLC0415 - late, as above

    from meshplan.argocd.gate import Asked  # noqa: PLC0415 - late, as above
    from meshplan.argocd.server import ArgoServer, Cluster  # noqa: PLC0415 - the same
    from meshplan.run.request import Request, settings_for  # noqa: PLC0415 - the same
    from meshplan.source.files import Contents  # noqa: PLC0415 - the same

    request = Request(
        Path(), "", config=options["config"], closed=options["closed"], mesh=options["mesh"]
    )
    settings, _ = settings_for(request, None, Contents("", {}))
    asked = Asked(
        options["namespace"],
        options["application"],
        options["before"],
        options["wait"],
        bool(options.get("settled")),
        options["repository"] or "",
    )
    if not options["server"]:
        return Cluster.inside(os.environ), asked, settings
    token = os.environ.get("ARGOCD_AUTH_TOKEN", "")
    server = ArgoServer(options["server"], token, ca=options["ca"] or "", plain=options["plain"])
    return server, asked, settings


def _told(termination_log: Path, run: Callable[[], int]) -> int:
    """Run, and leave the reason where Kubernetes looks for it, whatever goes wrong."""
    from meshplan.errors import MeshplanError  # noqa: PLC0415 - late, as above

    try:
        return run()
    except MeshplanError as error:
        _end(termination_log, f"{error.sentence}\n{error.hint}".strip(), shown=False)
        raise
    except Exception as error:
        kind = type(error).__name__
        _end(termination_log, f"meshplan itself failed ({kind}): see the log", shown=False)
        raise


def _end(file: Path, text: str, *, shown: bool = True) -> None:
    """The reason, for the log and for the message with which the container ends."""
    from meshplan.argocd.gate import TERMINATION_BYTES  # noqa: PLC0415 - late, as above

    if shown:
        _log(text)
    if file.exists() or file.parent != Path("/dev"):
        content = text.encode("utf-8", "replace")[:TERMINATION_BYTES]
        with suppress(OSError):
            file.write_bytes(content.decode("utf-8", "ignore").encode())


def _log(text: str) -> None:
    from meshplan.report.layout import printable  # noqa: PLC0415 - late, as above

    for line in text.split("\n"):
        click.echo(printable(line))


def _tell(found: "Stamping", *, dry_run: bool) -> None:
    from meshplan.cli.output import write_stdout  # noqa: PLC0415 - late, as above
    from meshplan.report.layout import printable  # noqa: PLC0415 - the same

    lines = []
    for target in found.targets:
        lines.append(f"{target.outcome:<8} {printable(target.name)}" + _why(target.why))
        for id_, wave in sorted(target.waves.items(), key=lambda item: (item[1], item[0])):
            lines.append(f"  wave {wave:>3}  {printable(str(id_))}")
        lines += [f"  wave {wave:>3}  barrier: {printable(why)}" for wave, why in target.barriers]
    if dry_run:
        lines += _diff(found)
    elif found.files:
        lines.append(f"wrote {', '.join(printable(path) for path in sorted(found.files))}")
    write_stdout("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))


def _why(text: str) -> str:
    from meshplan.report.layout import printable  # noqa: PLC0415 - late, as above

    return f": {printable(text)}" if text else ""


def _diff(found: "Stamping") -> list[str]:
    import difflib  # noqa: PLC0415 - late, as above

    from meshplan.report.layout import printable  # noqa: PLC0415 - the same

    lines: list[str] = []
    for path, content in sorted(found.files.items()):
        before = found.before.get(path, b"").decode("utf-8", "replace").splitlines()
        after = content.decode("utf-8", "replace").splitlines()
        names = (f"a/{path}" if path in found.before else "/dev/null", f"b/{path}")
        lines += [
            printable(row) for row in difflib.unified_diff(before, after, *names, lineterm="")
        ]
    return lines


def _write(found: "Stamping") -> None:
    """Write the files into the working tree, each at once."""
    from meshplan.cli.output import write_file  # noqa: PLC0415 - late, as above
    from meshplan.source.git import open_revisions  # noqa: PLC0415 - the same

    if found.files:
        root = open_revisions(Path(), None).repository.root
        for path, content in sorted(found.files.items()):
            write_file(root / path, content)
