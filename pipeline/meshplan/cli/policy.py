"""`meshplan policy`: for people who write rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from meshplan.cli.options import place_options

if TYPE_CHECKING:
    from meshplan.policy.program import Rule
    from meshplan.run.policy.rules import Chosen

_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="A table, or the same for programs.",
)


@click.group("policy", short_help="List, compile and test rules.")
def command() -> None:
    """List, compile and test rules.

    PATHs are files and folders with rules. Without any the rules are those that are in force here:
    those that come with meshplan, and those that `rules.paths` names in .meshplan.yaml.
    """


@command.command("list", short_help="List rules.")
@_PATHS
@place_options
@_OUTPUT
def list_(paths: tuple[Path, ...], output: str, **options: Any) -> int:
    """List rules: their ids, how bad their findings are, and what they are about."""
    from meshplan.cli.output import write_json, write_lines  # noqa: PLC0415 - not for `--help`
    from meshplan.report import rulebook  # noqa: PLC0415 - the same

    rules = _chosen(paths, options).in_force
    if output == "json":
        write_json([rulebook.to_json(rule) for rule in rules])
    else:
        write_lines(rulebook.listed(rules))
    return 0


@command.command("targets", short_help="Tell which engines can run a rule, and why not.")
@_PATHS
@place_options
@_OUTPUT
def targets(paths: tuple[Path, ...], output: str, **options: Any) -> int:
    """Tell which engines can run a rule, what they need for it, and why others cannot run it."""
    from meshplan.cli.output import write_json, write_lines  # noqa: PLC0415 - not for `--help`
    from meshplan.report.rule_targets import to_json, told  # noqa: PLC0415 - the same
    from meshplan.run.policy.compile import placed  # noqa: PLC0415 - the same

    found = placed(_chosen(paths, options).in_force)
    facts = [(one.rule.id, one.reasons, one.needs) for one in found]
    if output == "json":
        write_json(to_json(facts))
    else:
        write_lines(told(facts))
    return 0


@command.command("compile", short_help="Write rules for OPA, Gatekeeper or conftest.")
@_PATHS
@place_options
@click.option(
    "--to",
    type=click.Choice(["rego", "bundle", "gatekeeper", "conftest"]),
    required=True,
    help="Modules, a bundle for OPA, ConstraintTemplates with Constraints, or for conftest.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Where to write; made if it is not there. Files of the same names are replaced.",
)
@click.option(
    "--manifests",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Ship these manifests, and what the model of the mesh says about them, as data.",
)
@click.option(
    "--before",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Ship these as what was there before, for rules about changes.",
)
@click.option("--tests", is_flag=True, help="Ship the examples and suites, for `opa test`.")
@click.option("--target", metavar="NAME", help="The target of the manifests, if there are several.")
def compile_(
    paths: tuple[Path, ...],
    to: str,
    folder: Path,
    manifests: Path | None,
    before: Path | None,
    target: str | None,
    *,
    tests: bool,
    **options: Any,
) -> int:
    """Write rules for other engines, with the levels and parameters of the settings.

    \b
    --to rego        modules for `opa eval --data DIR`
    --to bundle      DIR/bundle.tar.gz for `opa eval --bundle` and for servers
    --to gatekeeper  DIR/templates, DIR/constraints and DIR/syncset.yaml
    --to conftest    DIR for `conftest test --policy DIR`

    Rules that an engine cannot run are left out, and named on the standard error. `data.meshplan.findings` is what
    all rules find in `data.inventory`, which `--manifests` fills.
    """
    from meshplan.cli.output import write_files  # noqa: PLC0415 - not for `--help`
    from meshplan.errors import UsageError  # noqa: PLC0415 - the same
    from meshplan.run.policy.compile import compiled  # noqa: PLC0415 - the same

    if (manifests or before or tests) and to not in ("rego", "bundle"):
        raise UsageError(
            f"--manifests, --before and --tests: {to} gets its data from elsewhere",
            hint="they go with --to rego and --to bundle",
        )
    if before is not None and manifests is None:
        raise UsageError(
            "--before says what was there, and nothing says what is to be there",
            hint="add --manifests PATH",
        )
    chosen = _chosen(paths, options, suites=tests)
    rules = _some(chosen.in_force)
    data: Mapping[str, Any] = {}
    if manifests is not None:
        from meshplan.run.policy.shipped import data_of  # noqa: PLC0415 - the same

        data = data_of(_request(options, target), manifests, before, rules)
    written: Mapping[str, str] = {}
    if tests:
        from meshplan.run.policy.cases import cases_of  # noqa: PLC0415 - the same
        from meshplan.run.policy.rego_tests import rego_tests  # noqa: PLC0415 - the same

        written = rego_tests(rules, cases_of(chosen))
    done = compiled(rules, to, data, written)
    write_files(folder, done.files)
    count = len(rules) - len(done.left_out)
    click.echo(
        f"{count} rule{'s' * (count != 1)} in {folder}: {len(done.files)} file{'s' * (len(done.files) != 1)}"
    )
    _warn(chosen)
    for id_, why in done.left_out.items():
        click.echo(f"left out {id_}: {why}", err=True)
    return 0


@command.command("test", short_help="Run the tests of rules, and tell how much they test.")
@_PATHS
@place_options
@click.option(
    "--opa/--no-opa",
    "ask_opa",
    default=None,
    help="Whether to compare with the answers of OPA; without, where `opa` is on PATH.",
)
@click.option("--no-mistakes", is_flag=True, help="Make no mistakes on purpose: faster.")
@click.option(
    "--min-branches",
    type=click.IntRange(0, 100),
    default=0,
    metavar="PERCENT",
    help="Fail if the tests take fewer of the branches.",
)
@click.option(
    "--min-mistakes",
    type=click.IntRange(0, 100),
    default=0,
    metavar="PERCENT",
    help="Fail if the tests notice fewer of the mistakes.",
)
@_OUTPUT
@click.option("-v", "--verbose", is_flag=True, help="Show everything that is not tested.")
def test(
    paths: tuple[Path, ...],
    ask_opa: bool | None,
    min_branches: int,
    min_mistakes: int,
    output: str,
    *,
    no_mistakes: bool,
    verbose: bool,
    **options: Any,
) -> int:
    """Run the tests of rules, and tell how much they test.

    Tests are the `Good:` and `Bad:` manifests in docstrings, and suites: YAML files in a folder
    `tests` (`meshplan schema policy-suite` describes them), or named as PATH. Without PATHs the rules are
    those that `rules.paths` names, or else those that come with meshplan.

    Besides what fails, meshplan tells which branches of a rule no test takes, and which mistakes in a
    rule no test would notice: it makes each on purpose.

    \b
    Exit status: 0 all tests hold; 1 one fails, OPA finds something else, a rule is tested by nothing
    or by nothing that it could get wrong, or too little is tested; 2 usage, or mistakes in rules or tests.
    """
    from meshplan.cli.output import write_json, write_lines  # noqa: PLC0415 - not for `--help`
    from meshplan.cli.terminal import Progress  # noqa: PLC0415 - the same
    from meshplan.run.policy.tests import run_tests  # noqa: PLC0415 - the same
    from meshplan.run.policy.told import short_of, to_json, told  # noqa: PLC0415 - the same

    with Progress() as progress:
        chosen = _chosen(paths, options, suites=True, own=True)
        _some(chosen.rules)
        done = run_tests(chosen, progress, mutate=not no_mistakes, ask_opa=ask_opa)
    _warn(chosen, without="W401")  # that is told below
    short = short_of(done, min_branches, None if no_mistakes else min_mistakes)
    if output == "json":
        write_json(to_json(done))
    else:
        write_lines(told(done, short, verbose=verbose))
    return 0 if done.holds and not short else 1


def _chosen(paths: tuple[Path, ...], options: Mapping[str, Any], **wanted: bool) -> "Chosen":
    from meshplan.run.policy.rules import choose  # noqa: PLC0415 - not for `--help`

    return choose(_request(options), paths, **wanted)


def _request(options: Mapping[str, Any], target: str | None = None) -> Any:
    from meshplan.cli.diff import request_of  # noqa: PLC0415 - not for `--help`

    return request_of(None, targets=(target,) if target else (), **options)


def _some(rules: tuple["Rule", ...]) -> tuple["Rule", ...]:
    """The rules; raises UsageError for none."""
    from meshplan.errors import UsageError  # noqa: PLC0415 - not for `--help`

    if not rules:
        raise UsageError("no rules are in force here", hint="name files or folders with rules")
    return rules


def _warn(chosen: "Chosen", without: str = "") -> None:
    """Print warnings about rules, but those of one code."""
    for found in chosen.pack.diagnostics:
        if found.code != without:
            click.echo(f"{found}\n", err=True)
