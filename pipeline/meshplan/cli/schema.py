"""`meshplan schema`: what other programs and editors check against."""

import click

from meshplan.data import data_path


@click.command("schema", short_help="Print the JSON Schema of a result, the settings or waivers.")
@click.argument(
    "name", type=click.Choice(["result", "settings", "waivers", "policy-suite"]), default="result"
)
def command(name: str) -> int:
    """Print the JSON Schema of a result (`-o json`), of the settings (.meshplan.yaml), of waivers, or
    of tests of rules (policy-suite).

    \b
    In an editor with a YAML language server, the first line of .meshplan.yaml may be
    # yaml-language-server: $schema=settings.schema.json
    """
    click.echo((data_path("schemas") / f"{name}.schema.json").read_text("utf-8"), nl=False)
    return 0
