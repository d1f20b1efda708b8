"""Compiled rules as files: modules for `opa`, and all of them as a bundle that OPA loads."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

from meshplan.errors import UsageError
from meshplan.policy import program
from meshplan.policy.rego import inventory_entry, library, rule_module
from meshplan.policy.rego.body import rule as written_rule
from meshplan.policy.rego.module import package_of
from meshplan.policy.rego.names import text

#: The packages of the library, as a bundle names its roots.
_LIBRARY = ("lib/meshplan", "lib/meshplan_changes", "lib/meshplan_facts")


def modules(rules: Sequence[program.Rule]) -> dict[str, str]:
    """The Rego of rules: each file by its name.

    Raises UsageError for rules that would share a package.
    """
    check_packages(rules)
    files = {f"lib/{name}": content for name, content in library().items()}
    for rule in rules:
        stem = package_of(rule).replace(".", "/")
        files[f"{stem}.rego"] = rule_module(rule).text
        files[f"{stem}_inventory.rego"] = inventory_entry(rule)
    files["meshplan/findings.rego"] = _findings(rules)
    return files


def check_packages(rules: Sequence[program.Rule]) -> None:
    """Raise UsageError for rules whose ids differ only in what packages cannot have."""
    seen: dict[str, program.Rule] = {}
    for rule in rules:
        package = package_of(rule)
        other = seen.setdefault(package, rule)
        if other is not rule or package == "meshplan.findings":
            name = f"{other.id} and {rule.id}" if other is not rule else rule.id
            raise UsageError(
                f"{name} would be the package {package}, which is taken",
                hint="give one of the rules another id",
            )


def bundle(
    rules: Sequence[program.Rule], data: Mapping[str, Any], more: Mapping[str, str] | None = None
) -> bytes:
    """A bundle: the modules with their data. The same rules and data give the same bytes.

    `data` may have `inventory`, `inventory_before` and `facts`; what it has not, OPA may be given
    from elsewhere: the bundle does not own it. `more` are files in folders of their own.
    """
    more = more or {}
    files = {name: content.encode() for name, content in {**modules(rules), **more}.items()}
    if data:
        files["data.json"] = _json(data)
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    manifest = {
        "revision": f"sha256:{digest.hexdigest()}",
        "rego_version": 1,
        "roots": sorted({"meshplan", *_LIBRARY, *data, *(n.partition("/")[0] for n in more)}),
        "metadata": {"rules": [_about(rule) for rule in rules]},
    }
    return archive({".manifest": _json(manifest), **files})


def archive(files: Mapping[str, bytes]) -> bytes:
    """A compressed archive without times, owners and whatever else differs from run to run."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as opened:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            opened.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), compresslevel=9, mtime=0)


def inventory(manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Objects in the layout of Gatekeeper's inventory."""
    found: dict[str, Any] = {}
    for manifest in manifests:
        metadata = manifest.get("metadata") or {}
        namespace, version = metadata.get("namespace"), str(manifest.get("apiVersion", ""))
        place = found.setdefault("namespace", {}).setdefault(namespace, {}) if namespace else None
        place = found.setdefault("cluster", {}) if place is None else place
        named = place.setdefault(version, {}).setdefault(str(manifest.get("kind", "")), {})
        name = str(metadata.get("name") or metadata.get("generateName") or "")
        # Two objects of one name are both looked at: their keys mean nothing to rules.
        named[name if name not in named else f"{name}/{len(named)}"] = manifest
    return found


def _findings(rules: Sequence[program.Rule]) -> str:
    lines = ["# METADATA", "# title: What all rules find in data.inventory"]
    parts = ["\n".join([*lines, "package meshplan"]) + "\n"]
    for rule in sorted(rules, key=lambda r: r.id):
        about = ", ".join(f"{text(k)}: {text(v)}" for k, v in _about(rule).items())
        head = f"findings contains object.union(found, {{{about}}})"
        parts.append(written_rule(head, [f"some found in data.{package_of(rule)}.inventory"]))
    if not rules:
        parts.append("findings := set()\n")
    return "\n".join(parts)


def _about(rule: program.Rule) -> dict[str, str]:
    return {"rule": rule.id, "level": rule.level, "severity": rule.severity}


def _json(value: Any) -> bytes:
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
