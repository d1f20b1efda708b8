"""The files that `meshplan init` writes: texts made of what was found, with nothing of it run."""

import json
from collections.abc import Sequence

from meshplan.dataclass import dataclass

WORKFLOW = ".github/workflows/meshplan.yml"
HOOKS = ".pre-commit-config.yaml"

#: Targets that are named in the settings as an example; with more, the file is no help.
_MOST_TARGETS = 20
#: Kinds of targets whose name is the path that the settings would say.
_BY_PATH = ("plain", "kustomize", "helm")

_CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"


@dataclass(frozen=True, slots=True)
class Home:
    """Where meshplan is kept on GitHub, and which commit of it is meant."""

    #: `OWNER/NAME`.
    repository: str
    #: 40 hexadecimal digits: a tag can be moved by others.
    commit: str


@dataclass(frozen=True, slots=True)
class Found:
    """A target, as far as the settings speak of it."""

    name: str
    kind: str


def settings_text(targets: Sequence[Found]) -> str:
    """`.meshplan.yaml` with the defaults, and the targets that were found in comments.

    Taking a comment sign away has to give valid settings that find the same targets.
    """
    return f"""\
# Settings of meshplan. All of them are optional; `meshplan schema settings` prints what there is.
# Between two commits those of the base hold, so that a change cannot approve itself.

# Only findings that a change brings hold it back, from this severity on: error, warning or info.
failOn: error

# Whether a host that no manifest defines may exist all the same (open), or not (closed).
world: open

# What applies these manifests: argocd, flux, helm, kubectl or kapp. meshplan then says what that
# would do to requests, and holds back what it would break.
#deployers: [argocd]

# What goes into one cluster each. Without this, meshplan finds the targets itself, and new ones too.
{_targets(targets)}
# Paths that are not read at all.
#ignore: ["docs/**"]
"""


def _targets(targets: Sequence[Found]) -> str:
    known = [t for t in targets if t.kind in _BY_PATH][:_MOST_TARGETS]
    shown = known or [Found("overlays/production", "kustomize")]
    lines = ["#targets:"]
    for target in shown:
        name = json.dumps(target.name)
        lines += [f"#  - name: {name}", f"#    paths: [{name}]", f"#    kind: {target.kind}"]
    return "\n".join(lines) + "\n"


def workflow_text(home: Home, targets: Sequence[Found]) -> str:
    """The workflow for pull requests: pinned, and with no more permissions than it uses."""
    deployers = [name for name in ("argocd", "flux") if any(t.kind == name for t in targets)]
    more = f"          deployer: {', '.join(deployers)}\n" if deployers else ""
    return f"""\
# The plan of a pull request, in the summary of the job and as one comment. Nothing of the pull
# request is executed. A pull request from a fork has a token that can only read: it gets the
# summary, and no comment.
name: meshplan

on: pull_request

permissions: {{}}

concurrency:
  group: meshplan-${{{{ github.ref }}}}
  cancel-in-progress: true

jobs:
  plan:
    name: Plan
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read # checkout
      pull-requests: write # the comment
    steps:
      - uses: {_CHECKOUT}
        with:
          fetch-depth: 2
          persist-credentials: false
      - uses: {home.repository}@{home.commit}
        with:
          comment: auto
{more}"""


def hook_text(home: Home | None, indent: int) -> str:
    """One entry of `repos` in `.pre-commit-config.yaml`: what is staged, against HEAD."""
    if home:
        lines = [
            f"- repo: https://github.com/{home.repository}",
            f"  rev: {home.commit}",
            "  hooks:",
            "    - id: meshplan",
        ]
    else:
        lines = [
            "- repo: local",
            "  hooks:",
            "    - id: meshplan",
            "      name: meshplan",
            "      entry: meshplan diff --staged",
            "      language: system",
            "      pass_filenames: false",
            "      # Also where files are only deleted, of which pre-commit does not speak.",
            "      always_run: true",
        ]
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


def with_hook(text: str, home: Home | None) -> str | None:
    """A `.pre-commit-config.yaml` with our entry behind its last; None where there is no telling
    how, and `text` itself where the entry is there already. What was there stays byte for byte.
    """
    entries = _entries(text)
    if entries is None:
        return None
    if any(hook.get("id") == "meshplan" for entry in entries for hook in _dicts(entry, "hooks")):
        return text
    dashes = [line for line in text.splitlines() if line.lstrip().startswith("- repo:")]
    if not dashes:
        return None
    indent = len(dashes[-1]) - len(dashes[-1].lstrip())
    wanted = text + ("" if text.endswith("\n") else "\n") + hook_text(home, indent)
    found = _entries(wanted)
    added = found is not None and len(found) == len(entries) + 1
    return wanted if added else None


def _entries(text: str) -> list[dict[str, object]] | None:
    from meshplan.source.yaml import parse  # noqa: PLC0415 - `--help` does not need it

    parsed = parse(text.encode("utf-8", "surrogateescape"), HOOKS)
    if parsed.findings or len(parsed.documents) != 1:
        return None
    value = parsed.documents[0].value
    return _dicts(value, "repos") if isinstance(value, dict) else None


def _dicts(value: object, key: str) -> list[dict[str, object]]:
    found = value.get(key) if isinstance(value, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
