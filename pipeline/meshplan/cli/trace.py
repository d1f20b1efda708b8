"""`meshplan trace`: what becomes of a request."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meshplan.cli.diff import request_of
from meshplan.cli.options import source_options

if TYPE_CHECKING:
    from meshplan.result.trace import Trace


@click.command("trace", short_help="Tell what becomes of a request.")
@click.argument("words", nargs=-1, metavar="[REV|PATH] [METHOD] [URL]")
@click.option("--from", "client", metavar="NAMESPACE/LABELS", help="Pods that send it.")
@click.option("--gateway", metavar="NAMESPACE/LABELS", help="Pods of a gateway that receive it.")
@click.option(
    "--to",
    "server",
    metavar="NAMESPACE/LABELS[:PORT]",
    help="Pods that are asked for: who is let in there.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The port that is dialled, if not the URL's; with --to alone, the one of the pods.",
)
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    metavar="'NAME: VALUE'",
    help="A header of the request; may be given several times.",
)
@click.option("--client-ip", metavar="IP", help="The address that the request comes from.")
@click.option(
    "--principal", default="", metavar="SPIFFE", help="The identity in the client's certificate."
)
@click.option("--sni", default="", metavar="NAME", help="The name asked for in the TLS handshake.")
@click.option(
    "--requests",
    "file",
    metavar="FILE",
    help='Many requests, a line of JSON each: {"host", "method", "path", "headers"}; - is stdin.',
)
@source_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or one JSON object a request, in order.",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours; auto looks at the terminal, NO_COLOR and FORCE_COLOR.",
)
def command(words: tuple[str, ...], output: str, color: str, **options: Any) -> int:
    """Tell what becomes of a request, and which objects decide it.

    \b
    meshplan trace --from web/app=client GET http://reviews.shop/x?q=1 -H 'x-v: 1'
    meshplan trace main..HEAD --gateway edge/istio=ingressgateway https://shop.example/
    meshplan trace prod/ --to shop/app=reviews --port 9080 http://reviews.shop/
    meshplan trace --from web --requests access.jsonl -o json

    It is asked at the working tree, a revision, a folder or a file; with two revisions (A..B), at
    both. No request is sent.
    """
    # Late: `--help` needs none of it.
    from meshplan.cli.terminal import Progress  # noqa: PLC0415
    from meshplan.cli.wishes import requests_of, vantage_of  # noqa: PLC0415
    from meshplan.run.trace import trace_requests  # noqa: PLC0415

    vantage = vantage_of(**options)
    subject, asked = requests_of(words, **options)
    with Progress() as progress:
        request = request_of(subject, Path(), **options)
        trace = trace_requests(request, vantage, asked, progress)
    _write(trace, output, color)
    return 0


def _write(trace: "Trace", output: str, color: str) -> None:
    import sys  # noqa: PLC0415 - `--help` needs none of it

    from meshplan.cli.output import write_stdout  # noqa: PLC0415 - the same
    from meshplan.cli.terminal import view_of  # noqa: PLC0415 - the same
    from meshplan.report.layout import printable  # noqa: PLC0415 - the same
    from meshplan.report.trace import as_json, as_text, notes  # noqa: PLC0415 - the same

    for note in notes(trace):
        click.echo(printable(note), err=True)
    if output == "json":
        write_stdout(as_json(trace).encode())
        return
    text = as_text(trace, view_of(sys.stdout, color, verbose=False))
    write_stdout(text.encode(sys.stdout.encoding or "ascii", "backslashreplace"))
