"""ApplicationSets with list and git generators, turned into the Applications that they make."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from meshplan.source.globs import folder_matcher
from meshplan.source.tree import Tree

Parameters = Mapping[str, Any]
#: Whether a URL and a path are in this repository.
Holds = Callable[[str, str], bool]
#: All documents of a file of the tree.
ReadFile = Callable[[str], Sequence[Any]]

_EXPRESSION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_FIELD = re.compile(r"\.?([\w-]+(?:\.[\w-]+)*)")
_INDEX = re.compile(r"index\s+\.([\w.]+)\s+(?:(\d+)|\"([^\"]+)\")")
_MOST = 1000


class _UnknownExpressionError(Exception):
    """An expression of a template that is not understood."""


def refusal(spec: Mapping[str, Any]) -> str:
    """Why an ApplicationSet is not expanded; "" if it may be."""
    if spec.get("templatePatch"):
        return "it has a templatePatch, which is not supported"
    for generator in _list(spec.get("generators")):
        kinds = sorted(set(generator) - {"selector", "template", "values"})
        if kinds not in (["list"], ["git"]):
            return (
                f"its {', '.join(kinds) or 'empty'} generator needs what is outside the repository"
            )
        if generator.get("selector"):
            return "its generator has a selector, which is not supported"
        inner = _mapping(generator[kinds[0]])
        if inner.get("template") or generator.get("template"):
            return "its generator has a template of its own, which is not supported"
        if inner.get("elementsYaml"):
            return "its list generator takes elements from another generator (elementsYaml)"
    return ""


def applications(
    spec: Mapping[str, Any], tree: Tree, holds: Holds, read: ReadFile
) -> list[Mapping[str, Any]] | str:
    """The Applications that an ApplicationSet makes, or why that cannot be told."""
    template = _mapping(spec.get("template"))
    go = bool(spec.get("goTemplate"))
    made: list[Mapping[str, Any]] = []
    for generator in _list(spec.get("generators")):
        git = _mapping(generator.get("git"))
        if git and not holds(str(git.get("repoURL")), _a_path(git)):
            return f"its git generator looks at {git.get('repoURL')}, which is another repository"
        found = _of_git(git, tree, read, go) if git else _of_list(generator)
        try:
            left = _MOST + 1 - len(made)
            made.extend(_filled(template, one, go) for one in islice(found, left))
        except _UnknownExpressionError as error:
            return f"its template has {error}, which is not supported"
        if len(made) > _MOST:
            return f"it makes more than {_MOST} Applications"
    return made


def _of_list(generator: Mapping[str, Any]) -> Iterator[Parameters]:
    yield from _list(_mapping(generator.get("list")).get("elements"))


def _of_git(git: Mapping[str, Any], tree: Tree, read: ReadFile, go: bool) -> Iterator[Parameters]:
    prefix = str(git.get("pathParamPrefix") or "")
    values = _mapping(git.get("values"))
    if git.get("directories"):
        for folder in _folders(git, tree):
            parameters = _path_parameters(folder, "", go, prefix)
            yield {**parameters, **_values(values, parameters, go)}
        return
    for path in _files(git, tree):
        place = _path_parameters(posixpath.dirname(path), posixpath.basename(path), go, prefix)
        for content in read(path):
            for item in content if isinstance(content, list) else (content,):
                found = _mapping(item)
                parameters = {**(found if go else dict(_flat(found))), **place}
                yield {**parameters, **_values(values, parameters, go)}


def _folders(git: Mapping[str, Any], tree: Tree) -> list[str]:
    rules = [_mapping(rule) for rule in git["directories"]]
    wanted = [folder_matcher(str(r.get("path"))) for r in rules if not r.get("exclude")]
    unwanted = [folder_matcher(str(r.get("path"))) for r in rules if r.get("exclude")]
    return [
        folder
        for folder in sorted(tree.folders)
        if folder
        and not any(step.startswith(".") for step in folder.split("/"))
        and any(matches(folder) for matches in wanted)
        and not any(matches(folder) for matches in unwanted)
    ]


def _files(git: Mapping[str, Any], tree: Tree) -> list[str]:
    rules = [_mapping(rule) for rule in git.get("files") or ()]
    wanted = [folder_matcher(str(r.get("path"))) for r in rules if not r.get("exclude")]
    unwanted = [folder_matcher(str(r.get("path"))) for r in rules if r.get("exclude")]
    return [
        path
        for path in sorted(tree.files)
        if any(matches(path) for matches in wanted)
        and not any(matches(path) for matches in unwanted)
    ]


def _path_parameters(folder: str, file: str, go: bool, prefix: str) -> Parameters:
    """What a git generator tells about the folder that it found."""
    name = posixpath.basename(folder)
    plain = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")
    found: dict[str, Any] = {"path": folder, "basename": name, "basenameNormalized": plain}
    if file:
        found |= {"filename": file, "filenameNormalized": re.sub(r"[^a-z0-9-]+", "-", file.lower())}
    steps = folder.split("/")
    if go:
        whole = {"path": {**found, "segments": steps}}
        return {prefix: whole} if prefix else whole
    dotted = f"{prefix}.path" if prefix else "path"
    texts = {f"{dotted}.{key}": text for key, text in found.items() if key != "path"}
    texts |= {f"{dotted}[{number}]": step for number, step in enumerate(steps)}
    return {dotted: folder, **texts}


def _values(values: Mapping[str, Any], parameters: Parameters, go: bool) -> Parameters:
    filled = {key: _filled(value, parameters, go) for key, value in values.items()}
    if go:
        return {"values": filled} if filled else {}
    return {f"values.{key}": value for key, value in filled.items()}


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`{a: {b: c}}` as `a.b: c`."""
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner


def _filled(value: Any, parameters: Parameters, go: bool) -> Any:
    """A template with its expressions replaced; raises `_UnknownExpressionError` for one beyond plain fields."""
    if isinstance(value, str):
        if "{{" not in value:
            return value
        return _EXPRESSION.sub(lambda found: _text(found[1], parameters, go), value)
    if isinstance(value, Mapping):
        return {_filled(k, parameters, go): _filled(v, parameters, go) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(item, parameters, go) for item in value]
    return value


def _text(expression: str, parameters: Parameters, go: bool) -> str:
    found = _go_value(expression, parameters) if go else _plain_value(expression, parameters)
    if isinstance(found, bool):
        return "true" if found else "false"
    return "" if found is None else str(found)


def _plain_value(expression: str, parameters: Parameters) -> Any:
    if expression in parameters:
        return parameters[expression]
    nested = _at(parameters, expression)
    # Argo CD leaves a parameter that nobody sets as it is.
    return f"{{{{{expression}}}}}" if nested is None else nested


def _go_value(expression: str, parameters: Parameters) -> Any:
    if expression.startswith(".") and _FIELD.fullmatch(expression):
        return _at(parameters, expression[1:])
    indexed = _INDEX.fullmatch(expression)
    if indexed:
        value = _at(parameters, indexed[1])
        if indexed[3] is not None:
            return _mapping(value).get(indexed[3])
        number = int(indexed[2])
        return value[number] if isinstance(value, list) and number < len(value) else None
    raise _UnknownExpressionError(f"{{{{ {expression} }}}}")


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = _mapping(value).get(step)
    return value


def _a_path(git: Mapping[str, Any]) -> str:
    """A folder that the generator looks into, to see whether this repository has it."""
    rules = [_mapping(rule) for rule in git.get("directories") or git.get("files") or ()]
    paths = [str(rule.get("path") or "") for rule in rules if not rule.get("exclude")]
    fixed = [re.split(r"[*?\[{]", path, maxsplit=1)[0] for path in paths]
    return posixpath.dirname(fixed[0]) if fixed else ""


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
