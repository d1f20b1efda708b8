"""Write the pages of docs/reference/ from the code, and the picture in the README.

python docs/generate.py           write them
python docs/generate.py --check   say which of them are out of date; exit status 1 if one is
"""

import argparse
import ast
import fcntl
import inspect
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the code: change that, then run `make docs`. -->"


def page(title: str, *blocks: str) -> str:
    """A page of the reference."""
    return "\n\n".join([f"# {title}", NOTE, *(block.strip() for block in blocks)]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell(text) for text in line)} |" for line in lines)


def cell(text: str) -> str:
    """Text within a table: on one line, and without a bar that would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(texts: Sequence[str]) -> str:
    """A list of words as they are typed; of a long one, its beginning."""
    more = f" and {len(texts) - 6} more" if len(texts) > 6 else ""
    return ", ".join(f"`{text}`" for text in texts[:6]) + more


def commands() -> str:
    """What `--help` says, without its dependence on the version of click."""
    from meshplan.cli import COMMANDS, cli

    blocks = [*_prose(cli), *_parameters(cli)]
    blocks.append("\n".join(f"- [meshplan {name}](#meshplan-{name})" for name in COMMANDS))
    context = click.Context(cli, info_name="meshplan")
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        blocks += [f"## meshplan {name}", *_command(name, command)]
        for inner, one in _inner(command):
            blocks += [f"### meshplan {name} {inner}", *_command(f"{name} {inner}", one)]
    return page("Commands", *blocks)


def _inner(command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """The commands of a command that has some."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield name, found


def _command(name: str, command: click.Command) -> Iterator[str]:
    arguments = [_argument(p) for p in command.params if isinstance(p, click.Argument)]
    more = ["COMMAND [ARGS]..."] if isinstance(command, click.Group) else arguments
    yield f"```text\n{' '.join(['meshplan', name, '[OPTIONS]', *more])}\n```"
    yield from _prose(command)
    yield from _parameters(command)


def _prose(command: click.Command) -> Iterator[str]:
    """The paragraphs of a help text; click's \\b keeps the line breaks of what follows it."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        first, _, rest = paragraph.partition("\n")
        yield f"```text\n{rest}\n```" if first == "\b" else paragraph


def _argument(argument: click.Argument) -> str:
    if argument.metavar:
        return argument.metavar
    if isinstance(argument.type, click.Choice):
        name = "|".join(argument.type.choices)
    else:
        name = str(argument.name).upper()
    return f"{{{name}}}" if argument.required and "|" in name else f"[{name}]"


def _parameters(command: click.Command) -> Iterator[str]:
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    rows = []
    for option in options:
        value = "" if option.is_flag else f" {_value(option)}"
        names = ", ".join(f"`{name}{value}`" for name in option.opts)
        default = option.default if isinstance(option.default, str) else None
        about = option.help or ("Show the version and exit." if "--version" in option.opts else "")
        rows.append((names, about + (f" Default: `{default}`." if default else "")))
    if rows:
        yield table(("option", "meaning"), rows)


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.metavar or option.type.name.upper()


def settings() -> str:
    """`.meshplan.yaml`, from its schema."""
    schema = _schema("settings")
    about = (
        "`.meshplan.yaml` at the root of the repository, or the file that `--config` names. "
        "Between two commits the settings of the base hold, so that a change cannot approve itself; "
        "a change to them is reported. `meshplan schema settings` prints the JSON Schema that "
        "editors can check against. A key that is not in this table is an error."
    )
    rows = _properties(schema, schema, "", {})
    return page("Settings", about, table(("key", "value", "default", "meaning"), rows))


def result() -> str:
    """The result document, from its schema."""
    schema = _schema("result")
    rows = [(key, kind, about) for key, kind, _, about in _properties(schema, schema, "", {})]
    about = (
        "What `-o json` prints, and nothing else with it. `meshplan schema result` prints the JSON "
        "Schema. Fields may be added and enumerations may grow: ignore what you do not know. "
        "`a[].b` is the field b of every item of a."
    )
    return page("Result", about, table(("field", "value", "meaning"), rows))


def _schema(name: str) -> Mapping[str, Any]:
    from meshplan.data import data_path

    text = (data_path("schemas") / f"{name}.schema.json").read_text("utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


def _properties(
    schema: Mapping[str, Any], root: Mapping[str, Any], prefix: str, seen: dict[str, str]
) -> Iterator[tuple[str, str, str, str]]:
    """Key, value, default and meaning of each property, depth first; what several of them refer
    to is spelled out below the first.
    """
    for name, entry in schema.get("properties", {}).items():
        found = _resolved(entry, root)
        inner = _resolved(found.get("items", {}), root)
        fields = inner if found.get("type") == "array" else found
        key = f"{prefix}{name}" + ("[]" if fields is inner and fields.get("properties") else "")
        default = f"`{json.dumps(found['default'])}`" if "default" in found else ""
        about = found.get("description", "") or inner.get("description", "")
        reference = fields.get("from", key)
        first = seen.setdefault(reference, key)
        if first == key or not fields.get("properties"):
            yield f"`{key}`", _kind(found, root), default, about
            yield from _properties(fields, root, f"{key}.", seen)
        else:
            yield f"`{key}`", f"{_kind(found, root)}, as `{first}`", default, about


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema with what it refers to; of "this or null", this."""
    options = [s for s in schema.get("anyOf", ()) if s.get("type") != "null"]
    if len(options) == 1:
        return {**_resolved(options[0], root), "nullable": True, **_without(schema, "anyOf")}
    if "$ref" not in schema:
        return schema
    target: Any = root
    for step in schema["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    origin = {"from": schema["$ref"]}
    return {**origin, **_resolved(target, root), **_without(schema, "$ref")}


def _without(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _kind(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    null = " or null" if schema.get("nullable") else ""
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"]) + null
    kind = schema.get("type", "any value")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        inner = _resolved(schema.get("items", {}), root)
        return f"list of {_kind(inner, root)}" + null
    return str(kind) + null


def kinds() -> str:
    """The kinds that meshplan knows, and how their objects are compared."""
    from meshplan.kinds import KINDS

    about = (
        "Kinds with facts of their own: their fields have defaults, their lists are matched by what "
        "identifies an item, and what they rely on makes edges. Objects of other kinds are compared "
        "as plain data and keep the order that every Kubernetes object has: after its Namespace and "
        "its CustomResourceDefinition."
    )
    rows = [
        (
            f"`{kind.kind}`",
            f"`{kind.group}`" if kind.group else "core",
            code(kind.versions),
            kind.scope,
            code(kind.immutable),
        )
        for kind in sorted(KINDS, key=lambda kind: (kind.group, kind.kind))
    ]
    titles = ("kind", "group", "versions, the same fields in all", "scope", "immutable fields")
    return page("Kinds", about, table(titles, rows))


def renderers() -> str:
    """The renderers, by the name that settings and coverage give them."""
    kinds = _schema("settings")["$defs"]["target"]["properties"]["kind"]["enum"]
    rows = [(f"`{kind}`", _first_sentence(f"source/render/{kind}.py")) for kind in kinds]
    about = (
        "How the files of a revision become objects. `meshplan targets -v` and `coverage` in the "
        "result say of each place what became of it: `rendered`; `skipped`, where something lies "
        "outside the repository or a tool is missing; `failed`, where something in the repository "
        "is broken."
    )
    return page("Renderers", about, table(("kind", "what it reads"), rows))


def _first_sentence(module: str) -> str:
    import meshplan

    source = (Path(meshplan.__file__).parent / module).read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")[0]


def reports() -> str:
    """The reports, from their tuple."""
    from meshplan.report import REPORTS

    rows = [(f"`-o {report.name}`", report.about) for report in REPORTS]
    about = (
        "`-o FORMAT` writes a report to the standard output, `-o FORMAT=FILE` into a file; the "
        "option may be given several times, and the work is done once. Without it there is `text`."
    )
    return page("Reports", about, table(("option", "for whom"), rows))


#: What the first letters of a rule's id stand for, in the order of the page.
TOPICS = {
    "PORT": "Ports and protocols",
    "REF": "References",
    "GW": "Gateways",
    "SCOPE": "Who a VirtualService is for",
    "HOST": "Hosts that several objects claim",
    "TLS": "Mutual TLS",
    "LIFE": "Start and stop",
    "BIND": "Where applications listen",
    "EGR": "Leaving the mesh",
    "TRACE": "Tracing",
}
LEVELS = {"deny": "error", "warn": "warning", "info": "info"}


def rules() -> str:
    """The rules of the pack, from their texts."""
    from meshplan.data import data_path

    found: dict[str, list[tuple[str, list[str]]]] = {topic: [] for topic in TOPICS}
    for path in sorted(data_path("policies").glob("*.py")):
        id_, blocks = _rule(path)
        found[id_.partition("-")[0]].append((id_, blocks))
    about = (
        "The rules that come with meshplan, from `policies/`. Their levels can be changed in the "
        "[settings](settings.md) (`rules.levels`), their parameters as well (`rules.parameters`); "
        "`meshplan schema waivers` says how to live with a finding for some time. Response flags "
        "are those of Envoy's access log (`%RESPONSE_FLAGS%`)."
    )
    blocks = [about]
    for topic, title in TOPICS.items():
        blocks.append(f"## {title}")
        blocks += [block for _, rule in sorted(found[topic]) for block in rule]
    return page("Rules", *blocks)


def _rule(path: Path) -> tuple[str, list[str]]:
    """The id of the rule in a file, and its page."""
    from meshplan.policy.page import page_of

    functions = [
        n for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.FunctionDef)
    ]
    [function] = [found for found in functions if found.decorator_list]
    [decorator] = function.decorator_list
    assert isinstance(decorator, ast.Call)
    assert isinstance(decorator.func, ast.Name)
    id_ = ast.literal_eval(decorator.args[0])
    stated = {word.arg: ast.literal_eval(word.value) for word in decorator.keywords}
    found = page_of(ast.get_docstring(function) or "")
    facts = [LEVELS[decorator.func.id], f"severity {stated['severity']}"]
    subject = function.args.args[0].annotation
    facts.append(f"for {ast.unparse(subject).replace(' | ', ', ')}" if subject else "")
    if stated.get("refs"):
        facts.append(f"like {', '.join(stated['refs'])}")
    blocks = [f"### {id_}", f"**{found.title}** ({'; '.join(facts)})", found.why]
    for name, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        blocks.append(f"*Parameter* `{ast.unparse(name)} = {ast.unparse(default or name)}`")
    blocks += [f"*Remedy*: {found.fix}", f"*See* {', '.join(f'<{link}>' for link in found.see)}"]
    for title, examples in (("Wrong", found.bad), ("Right", found.good)):
        for example in examples:
            blocks += [f"{title}:", *_manifests(example)]
    return id_, blocks


def _manifests(example: Any) -> Iterator[str]:
    if example.is_change:
        yield f"```yaml\n# before\n{example.before}\n```"
        yield f"```yaml\n# after\n{example.after}\n```"
    else:
        yield f"```yaml\n{example.after}\n```"


#: What the codes of mistakes in rules begin with.
MISTAKES = {
    "E0": "The file",
    "E10": "Statements that rules do not have",
    "E11": "Statements that rules do not have",
    "E12": "The parts of a rule",
    "E13": "Values",
    "E14": "Types",
    "E15": "Limits",
    "E16": "Names and fields",
    "E17": "Patterns",
    "E18": "Calls",
    "E2": "What would fail, or mean something else elsewhere",
    "W": "Warnings",
}


def rule_errors() -> str:
    """What the compiler of rules says, from the files of mistakes that it is tested with."""
    from meshplan.policy.library import Pack

    cases = DOCS.parent / "tests" / "cases" / "policy"
    texts = {f.name: f.read_text("utf-8") for f in cases.glob("*mistakes.txt")}
    texts |= {"large.txt": "#\n" * 35_000, "broken.txt": "def rule(svc: Service\n"}
    found: dict[str, Any] = {}
    for path, text in sorted(texts.items()):
        for mistake in Pack.of({path: text}).diagnostics:
            found.setdefault(mistake.code, mistake)
    about = (
        "What the compiler says about the text of a rule: one example of each mistake, with what to "
        "write instead. A file with an error (`E`) has no rules; a warning (`W`) keeps none from running. "
        "[How rules work](../explanation/rules.md) has the reasons."
    )
    blocks = [about]
    title = ""
    for code_, mistake in sorted(found.items()):
        topic = next(name for start, name in MISTAKES.items() if code_.startswith(start))
        if topic != title:
            blocks.append(f"## {topic}")
            title = topic
        lines = str(mistake).splitlines()
        lines[0] = mistake.message
        blocks += [f"### {code_}", "```text\n" + "\n".join(lines) + "\n```"]
    return page("Mistakes in rules", *blocks)


def order_bench() -> str:
    """What the orders of deployers do to requests, from the bench."""
    sys.path.insert(0, str(DOCS.parent / "bench" / "order"))
    from table import SCENARIOS, markdown, row

    return page("order-bench", "\n".join(markdown([row(scenario) for scenario in SCENARIOS])))


PAGES: Mapping[str, Callable[[], str]] = {
    "reference/rules.md": rules,
    "reference/rule-errors.md": rule_errors,
    "reference/commands.md": commands,
    "reference/settings.md": settings,
    "reference/result.md": result,
    "reference/kinds.md": kinds,
    "reference/renderers.md": renderers,
    "reference/reports.md": reports,
    "explanation/order-bench.md": order_bench,
}


#: The terminal in the picture.
COLUMNS = 110


def demo() -> str:
    """What `meshplan demo` prints at a terminal, with its colours."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "XDG_CACHE_HOME": scratch}
        return in_terminal((sys.executable, "-m", "meshplan", "demo"), environment)


def in_terminal(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What a command writes to a terminal of `COLUMNS` columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    with subprocess.Popen(
        command,
        env={**environment, "TERM": "xterm-256color", "COLORTERM": ""},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        output = b"".join(iter(lambda: _read(ours), b""))
        said = process.stderr.read() if process.stderr else b""
    os.close(ours)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} failed: {said.decode()}")
    return output.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO where the other end is closed
        return b""


def picture(output: str) -> str:
    """The output as an SVG of a terminal, down to the plan."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    shown = Text.from_ansi(f"$ meshplan demo\n{output}")
    console.print(shown[: shown.plain.index("\nassuming ")])
    drawing = console.export_svg(title="meshplan demo")
    # The font is the reader's own: a picture in a page loads nothing from elsewhere.
    return re.sub(r"\s*@font-face \{.*?\n    \}", "", drawing, flags=re.DOTALL)


def words(output: str) -> str:
    """What a picture says, without colours, in a form that survives new versions of rich."""
    from rich.text import Text

    return "\n".join(line.rstrip() for line in Text.from_ansi(output).plain.splitlines())


def main() -> int:
    """Write or compare every page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    output = demo()
    # The picture itself is not compared: rich may draw the same words in another way.
    wanted = {DOCS / name: write() for name, write in PAGES.items()}
    wanted[DOCS / "images" / "demo.txt"] = words(output) + "\n"
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text("utf-8") != text]
    if check:
        for path in stale:
            print(f"{path.relative_to(DOCS.parent)} is out of date: run `make docs`")
        return int(bool(stale))
    wanted[DOCS / "images" / "demo.svg"] = picture(output)
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
