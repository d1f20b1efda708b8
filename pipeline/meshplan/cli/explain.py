"""`meshplan explain`: the page of a rule."""

from typing import Any

import click

from meshplan.cli.options import place_options


@click.command("explain", short_help="Tell what a rule is about, why, and what to do.")
@click.argument("rule")
@place_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="A page, or the same for programs.",
)
def command(rule: str, output: str, **options: Any) -> int:
    """Tell what a RULE is about, why it matters and what to do, with examples.

    RULE is the id of a finding's rule, such as REF-001: one that comes with meshplan or one of the
    repository's own.
    """
    # Late: `--help` needs none of it.
    from meshplan.cli.diff import request_of  # noqa: PLC0415
    from meshplan.cli.output import write_json, write_lines  # noqa: PLC0415
    from meshplan.report import rulebook  # noqa: PLC0415
    from meshplan.run.policy.rules import explained  # noqa: PLC0415

    found = explained(request_of(None, **options), rule)
    if output == "json":
        write_json(rulebook.to_json(found))
    else:
        write_lines(rulebook.page(found))
    return 0
