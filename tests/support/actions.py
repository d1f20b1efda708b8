"""Run the steps of a composite action as GitHub's runner does.

Expressions are evaluated here (contexts, strings, `||`, `&&`, `==`, `!=`, `!`), each step gets the
files GITHUB_OUTPUT and GITHUB_STEP_SUMMARY, and the log is read for workflow commands.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKENS = re.compile(r"\s*(?:'((?:[^']|'')*)'|(\|\||&&|==|!=|!|\(|\))|([A-Za-z_][\w.-]*))")
_SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}


def evaluate(text: str, contexts: Mapping[str, Any]) -> str:
    """A value of a workflow file with its expressions filled in."""
    return _EXPRESSION.sub(lambda found: _shown(_Reader(found[1], contexts).whole()), text)


class _Reader:
    """Recursive descent over an expression."""

    def __init__(self, text: str, contexts: Mapping[str, Any]):
        self.contexts = contexts
        self.tokens: list[tuple[str, str]] = []
        place, text = 0, text.strip()
        while place < len(text):
            found = _TOKENS.match(text, place)
            assert found, f"not understood: {text[place:]}"
            kind = "text" if found[1] is not None else "sign" if found[2] else "name"
            self.tokens.append((kind, found[1] if kind == "text" else found[2] or found[3]))
            place = found.end()

    def whole(self) -> Any:
        value = self.either()
        assert not self.tokens, self.tokens
        return value

    def take(self, *signs: str) -> str:
        if self.tokens and self.tokens[0][0] == "sign" and self.tokens[0][1] in signs:
            return self.tokens.pop(0)[1]
        return ""

    def either(self) -> Any:
        value = self.both()
        while self.take("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self.take("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self) -> Any:
        value = self.single()
        if sign := self.take("==", "!="):
            same = _shown(value).lower() == _shown(self.single()).lower()
            return same if sign == "==" else not same
        return value

    def single(self) -> Any:
        if self.take("!"):
            return not self.single()
        if self.take("("):
            value = self.either()
            assert self.take(")")
            return value
        kind, text = self.tokens.pop(0)
        if kind == "text":
            return text.replace("''", "'")
        if text in ("true", "false"):
            return text == "true"
        value = self.contexts
        for part in text.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class Run:
    """What became of an action."""

    status: int
    log: str
    outputs: dict[str, str]
    summary: str
    steps: dict[str, dict[str, str]]

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The workflow commands that the runner would carry out, with their messages."""
        found, until = [], ""
        for line in self.log.splitlines():
            match = re.match(r"\s*::([\w-]+)(?: [^:]*)?::(.*)", line)
            if until:
                until = "" if line.strip() == f"::{until}::" else until
            elif match and match[1] == "stop-commands":
                until = match[2]
            elif match:
                found.append((match[1], match[2]))
        return found


@dataclass
class CompositeAction:
    """An action, and the runner it runs on."""

    folder: Path
    temp: Path
    workspace: Path
    env: dict[str, str] = field(default_factory=dict)
    #: Outputs of steps that are taken as done.
    done: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, github: Mapping[str, Any], **inputs: str) -> Run:
        """Run all steps until one fails."""
        action = yaml.safe_load((self.folder / "action.yml").read_text("utf-8"))
        github = {"action_path": str(self.folder), "token": "", **github}
        contexts: dict[str, Any] = {"github": github, "inputs": {}, "steps": {}}
        for name, stated in action["inputs"].items():
            default = evaluate(str(stated.get("default", "")), contexts)
            contexts["inputs"][name] = inputs.pop(name.replace("-", "_"), default)
        assert not inputs, f"no such inputs: {inputs}"
        status, log, summary = 0, "", ""
        for number, step in enumerate(action["runs"]["steps"]):
            name = step.get("id", f"__{number}")
            if name in self.done:
                contexts["steps"][name] = {"outputs": self.done[name]}
                continue
            status, text, outputs, added = self._step(step, contexts, number)
            contexts["steps"][name] = {"outputs": outputs}
            log, summary = log + text, summary + added
            if status:
                break
        outputs = {
            name: evaluate(stated["value"], contexts) for name, stated in action["outputs"].items()
        }
        steps = {name: found["outputs"] for name, found in contexts["steps"].items()}
        return Run(status, log, outputs, summary, steps)

    def _step(
        self, step: Mapping[str, Any], contexts: Mapping[str, Any], number: int
    ) -> tuple[int, str, dict[str, str], str]:
        files = self.temp / f"_runner_file_commands_{number}"
        files.mkdir(parents=True, exist_ok=True)
        for name in ("output", "summary"):
            (files / name).write_text("")
        script = files / "script.sh"
        script.write_text(evaluate(step["run"], contexts), "utf-8")
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "LC_ALL": "C.UTF-8",
            **{key: value for key, value in os.environ.items() if key.startswith(("PIP_", "GIT_"))},
            **self.env,
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(files / "output"),
            "GITHUB_STEP_SUMMARY": str(files / "summary"),
            "GITHUB_WORKSPACE": str(self.workspace),
            **{key: evaluate(str(text), contexts) for key, text in step.get("env", {}).items()},
        }
        done = subprocess.run(
            [*_SHELLS[step["shell"]], str(script)],
            cwd=self.workspace,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        log = done.stdout.decode("utf-8", "replace")
        outputs = outputs_of((files / "output").read_text("utf-8"))
        return done.returncode, log, outputs, (files / "summary").read_text("utf-8")


def outputs_of(text: str) -> dict[str, str]:
    """The values in a file of outputs: `name=value`, or `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if re.match(r"[\w-]+<<", line):
            name, _, end = line.partition("<<")
            value = []
            for row in lines:
                if row == end:
                    break
                value.append(row)
            found[name] = "\n".join(value)
        elif line:
            name, equals, value_ = line.partition("=")
            assert equals, f"not an output: {line}"
            found[name] = value_
    return found
