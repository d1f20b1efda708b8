"""`meshplan verify`: the independent checker of a saved result."""

from pathlib import Path
from typing import Any

import click

from meshplan.cli.diff import request_of
from meshplan.cli.options import source_options


@click.command("verify", short_help="Confirm or refute the plans of a saved result.")
@click.argument("result", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@source_options
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text")
def command(result: Path, output: str, **options: Any) -> int:
    """Check the plans of RESULT (from `meshplan diff -o json=RESULT`; - reads standard input).

    The checker reads both revisions and shares no code with what made the plan. It replays the
    plan, collects every text that routes and policies compare with, and asks the model of the mesh
    about the whole product of them in every state on the way. What it cannot look at, it says, and
    does not confirm.

    \b
    Exit status: 0 confirmed; 1 refuted, or not all could be looked at; 2 not a result.
    """
    # Late: `--help` needs none of it.
    import json  # noqa: PLC0415

    from meshplan.cli.output import write_stdout  # noqa: PLC0415
    from meshplan.cli.terminal import Progress  # noqa: PLC0415
    from meshplan.report.layout import printable  # noqa: PLC0415
    from meshplan.run.verify import verify_result  # noqa: PLC0415

    with Progress() as progress:
        found = verify_result(result, request_of(None, **options), progress)
    if output == "json":
        text = json.dumps(found.to_json(), indent=2)
    else:
        lines = []
        for name, target in found.targets:
            counted = f"{target.requests} requests, {target.views} views"
            lines.append(f"{target.verdict:<10} {printable(name)}  ({counted})")
            lines += [f"  ✗ {printable(reason)}" for reason in target.refutations]
            lines += [f"  ? {printable(reason)}" for reason in target.gaps]
        text = "\n".join([*lines, found.verdict])
    write_stdout(f"{text}\n".encode("utf-8", "backslashreplace"))
    return 0 if found.verdict == "confirmed" else 1
