"""`meshplan targets`: what a repository deploys."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from meshplan.cli.diff import request_of
from meshplan.cli.options import source_options

if TYPE_CHECKING:
    from meshplan.report.layout import Line
    from meshplan.result import Result


@click.command("targets", short_help="List what the repository deploys.")
@click.argument("revision", required=False)
@source_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="A table, or the result document (see `meshplan schema result`).",
)
@click.option("-v", "--verbose", is_flag=True, help="Show every file and folder that was read.")
def command(revision: str | None, output: str, *, verbose: bool, **options: Any) -> int:
    """List the targets: what goes into one cluster each. REVISION is the working tree by default.

    meshplan finds them from Kustomizations, Helm charts, Argo CD Applications, Flux
    Kustomizations and folders; `targets` in .meshplan.yaml says otherwise.
    """
    # Late: `--help` needs none of it.
    import sys  # noqa: PLC0415

    from meshplan.cli.output import write_stdout  # noqa: PLC0415
    from meshplan.cli.terminal import Progress, view_of  # noqa: PLC0415
    from meshplan.report import json  # noqa: PLC0415
    from meshplan.report.layout import View, write  # noqa: PLC0415
    from meshplan.run import check_revision  # noqa: PLC0415

    with Progress() as progress:
        result = check_revision(request_of(revision, **options), progress)
    if output == "json":
        write_stdout(json.render(result, View()).encode())
    else:
        text = write(_table(result, verbose=verbose), view_of(sys.stdout, "auto", verbose=verbose))
        write_stdout(text.encode(sys.stdout.encoding or "ascii", "backslashreplace"))
    return 3 if result.exit_status == 3 else 0


def _table(result: "Result", *, verbose: bool) -> Iterator["Line"]:
    from meshplan.report import wording  # noqa: PLC0415 - `--help` does not need it
    from meshplan.report.layout import Span, line, printable  # noqa: PLC0415 - the same

    titles = ("TARGET", "KIND", "OBJECTS")
    rows = [(printable(t.name), t.kind, str(t.after)) for t in result.targets]
    first, second, third = (max(map(len, column)) for column in zip(titles, *rows, strict=True))
    for name, kind, objects in (titles, *rows) if rows else ():
        text = f"{name:<{first}}  {kind:<{second}}  {objects:>{third}}"
        yield line(Span(text, "bold" if name == "TARGET" else ""))
    if not rows:
        yield line(f"no manifests found in {wording.revision(result.head)}")
    shown = result.coverage if verbose else wording.unread(result)
    for entry in shown:
        style = {"rendered": "green", "skipped": "yellow", "failed": "bold red"}[entry.status]
        why = f": {entry.why}" if entry.why else ""
        yield line(Span(f"{entry.status} ", style), f"{entry.path or '.'} ({entry.kind}){why}")
    hidden = [entry for entry in result.coverage if entry.status == "skipped"]
    if hidden and not verbose:
        yield line(Span(f"{len(hidden)} skipped (-v)", "dim"))
