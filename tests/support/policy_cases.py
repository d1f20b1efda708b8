"""Documents for rules, made from what the rules read: to compare engines over them.

A case is a small mesh with some subjects in it. Values come from the literals of the rule, from its
examples, and from what goes wrong: null, gaps, other types, text beyond ASCII.
"""

import copy
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from meshplan.policy import ir, program, walk
from meshplan.policy.catalog import FieldType, Leaf, ListOf, MapOf, Part, Scalar, catalog
from meshplan.policy.facts.answers import Facts
from meshplan.policy.facts.declared import BY_NAME
from meshplan.policy.types import fields_of
from meshplan.run.request import mesh_of
from meshplan.settings import Settings
from meshplan.source.yaml import parse
from support.snapshots import of_values

SUITES = Path(__file__).parents[2] / "policies" / "tests"

_ODD = (
    *(
        "",
        " ",
        "a",
        "é",
        "É",
        "😀",
        "İ",
        "ß",
        "a.b",
        "*.a",
        "*",
        ".",
        "/",
        "\u001c",
        "a\n",
        "\n",
        "\u2028",
    ),
    *(
        "web",
        "Web",
        "default",
        "shop",
        "80",
        "true",
        "null",
        "%s",
        "%d%%",
        "`",
        '"',
        "\\",
        "'",
        "a-b_c",
    ),
    *(
        "web.shop.svc.cluster.local",
        "docker.io/a/b:1@sha256:0",
        "localhost/a",
        "a:5000/b:c",
        "\uffff",
        "\u007f",
    ),
)
_WRONG = (
    None,
    True,
    False,
    0,
    1,
    -1,
    80.0,
    33.5,
    0.1,
    1e-7,
    2**53,
    -(2**53),
    2**64,
    "x",
    "",
    [],
    {},
    [None],
    [1],
    {"a": None},
    {"a": 1},
)


@dataclass(slots=True)
class Case:
    """A mesh, and what a rule is asked about in it."""

    rule: program.Rule
    #: Pairs of the object as it was and as it is to be; `old` is None for rules about objects.
    subjects: list[tuple[Any, Any]]
    #: The objects of the mesh by group and kind.
    objects: dict[tuple[str, str], list[Any]]
    parameters: dict[str, Any]
    seed: int
    #: What the model may answer, besides the usual.
    words: dict[str, list[str]]
    #: The model of the example that the case is made from.
    model: Facts | None = None
    answers: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def ask(self, fact: str, arguments: Sequence[str | int]) -> Any:
        """An answer that depends on the question alone."""
        key = (fact, *map(str, arguments))
        if key not in self.answers:
            chance = random.Random(f"{self.seed} {key}")
            made = _answer(chance, BY_NAME[fact].result, self.words)
            if self.model is not None and chance.random() < 0.8:
                told = self.model.ask(fact, *arguments)
                changed = isinstance(told, dict) and isinstance(made, dict) and made
                one = chance.choice(list(made)) if changed and chance.random() < 0.3 else None
                made = told if one is None else {**told, one: made[one]}
            self.answers[key] = made
        return self.answers[key]

    def objects_of(self, group: str, kind: str) -> list[Any]:
        """All objects of a kind."""
        if not kind:
            return [o for found in self.objects.values() for o in found]
        return self.objects.get((group, kind), [])

    @property
    def facts(self) -> dict[str, Any]:
        """The answers so far, as OPA reads them."""
        found: dict[str, Any] = {}
        for key, value in self.answers.items():
            inner = found
            for step in key[:-1]:
                inner = inner.setdefault(step, {})
            inner[key[-1]] = value
        return found

    @property
    def inventory(self) -> dict[str, Any]:
        """The objects, as Gatekeeper lays them out."""
        found: dict[str, Any] = {}
        for (group, kind), objects in self.objects.items():
            version = f"{group}/v1" if group else "v1"
            named = {f"n{number}": o for number, o in enumerate(objects)}
            found.setdefault(version, {})[kind] = named
        return {"namespace": {"shop": found}}


class CaseWorld:
    """A case, as the native evaluator looks at it."""

    def __init__(self, case: Case):
        self._case = case

    def objects(self, group: str, kind: str) -> Sequence[Any]:
        return self._case.objects_of(group, kind)

    def ask(self, fact: str, arguments: Sequence[str | int]) -> Any:
        return self._case.ask(fact, arguments)


class Cases:
    """Cases for one rule."""

    def __init__(self, rule: program.Rule, seed: int):
        self.rule = rule
        self._chance = random.Random(f"{rule.id} {seed}")
        nodes = list(_nodes(rule))
        self._names = {step for node in nodes if isinstance(node, ir.Read) for step in node.path}
        self._own = sorted({*_literals(nodes)})
        self._texts = sorted({*_ODD, *self._own})
        self._few = ["a"]
        self._wholes = sorted({0, 1, 2, 80, 443, *_numbers(nodes)})
        self._words = _compared(nodes)
        self._collections = {(n.group, n.kind) for n in nodes if isinstance(n, ir.Collection)}
        #: Of each example the objects before and after.
        self._homes = [
            (_documents(change(before)), _documents(change(after)))
            for before, after in (
                *((e.before, e.after) for e in (*rule.page.good, *rule.page.bad)),
                *_suites().get(rule.id, ()),
            )
            # And in the namespace that is meant where none is written.
            for change in (str, lambda text: text.replace("shop", "default"))
        ]
        self._models: dict[int, Facts | None] = {}
        self._examples = [e for home in self._homes for side in home for e in side]
        self._names |= {"name", "namespace", "metadata", "kind", "apiVersion"}

    def case(self, subjects: int) -> Case:
        """A case with some subjects."""
        chance = self._chance
        self._few = ["default", *(chance.choice(self._texts) for _ in range(3))]
        # Half of the cases are one of the rule's examples, nearly: deep in a rule all has to fit.
        number = chance.randrange(len(self._homes)) if self._homes else 0
        home = self._homes[number] if self._homes and chance.random() < 0.5 else ([], [])
        objects = {
            key: _distinct([*self._at_home(home[1], key), *self._objects(*key, most=len(home[1]))])
            for key in sorted(self._collections)
        }
        pairs = [
            self._pair_of(home) if any(home) and chance.random() < 0.7 else self._pair()
            for _ in range(subjects)
        ]
        parameters = {
            p.name: self._parameter(p.default)
            for p in self.rule.parameters
            if chance.random() < 0.3
        }
        model = self._model_of(number) if any(home) else None
        seed = chance.randrange(2**32)
        return Case(self.rule, pairs, objects, parameters, seed, self._words, model)

    def _model_of(self, number: int) -> Facts | None:
        """What the model of the mesh says of an example; None for one that is no objects."""
        if number not in self._models:
            found = [e for e in self._homes[number][1] if "apiVersion" in e and "metadata" in e]
            mesh, _ = mesh_of(of_values(*copy.deepcopy(found)), Settings())
            self._models[number] = Facts(mesh) if found else None
        return self._models[number]

    def _at_home(self, side: Sequence[Any], key: tuple[str, str]) -> list[Any]:
        """The objects of a kind in an example, one of three of them nudged."""
        return [
            self._nudged(e) if self._chance.random() < 0.3 else copy.deepcopy(e)
            for e in side
            if _kind_of(e) == key
        ]

    def _pair_of(self, home: tuple[Sequence[Any], Sequence[Any]]) -> tuple[Any, Any]:
        """A subject of an example, nudged."""
        kinds = {(k.group, k.name) for k in self.rule.kinds} or {("", "ConfigMap")}
        old, new = ([e for e in side if _kind_of(e) in kinds] for side in home)
        if not new and not (self.rule.is_change and old):
            return self._pair()
        subject = self._nudged(self._chance.choice(new)) if new else None
        if not self.rule.is_change:
            return None, subject
        return (self._nudged(self._chance.choice(old)) if old else None), subject

    def _pair(self) -> tuple[Any, Any]:
        chance = self._chance
        kind = chance.choice(self.rule.kinds or (program.Kind("", "ConfigMap"),))
        new = self._object(kind.group, kind.name)
        if not self.rule.is_change:
            return None, new
        old = self._object(kind.group, kind.name) if chance.random() < 0.4 else self._mutated(new)
        return chance.choice([(None, new), (old, None), (old, new), (old, new)])

    def _objects(self, group: str, kind: str, most: int = 0) -> list[Any]:
        count = self._chance.randrange(2 if most else 5)
        return [self._object(group, kind) for _ in range(count)]

    def _object(self, group: str, kind: str) -> Any:
        chance = self._chance
        known = [e for e in self._examples if e.get("kind") == kind]
        if known and chance.random() < 0.5:
            found = self._mutated(chance.choice(known))
        else:
            type_ = next(
                (k.type for k in catalog().kinds.values() if (k.group, k.name) == (group, kind)),
                None,
            )
            found = self._message(type_, 0) if type_ is not None else {}
        found["kind"] = kind
        found["apiVersion"] = f"{group}/v1" if group else "v1"
        return found

    def _message(self, type_: str, depth: int) -> dict[str, Any]:
        found = {}
        for name in type_.split("|"):
            for known in fields_of(name).values():
                # Namespaces are left out more often: they have a default.
                share = 0.6 if known.json_name == "namespace" else 0.85
                if known.json_name in self._names and self._chance.random() < share:
                    words = self._words.get(known.json_name)
                    told = words and isinstance(known.type, Leaf) and self._chance.random() < 0.5
                    found[known.json_name] = (
                        self._chance.choice(words or [""])
                        if told
                        else self._value(known.type, depth + 1)
                    )
        return found

    def _value(self, kind: FieldType, depth: int) -> Any:
        chance = self._chance
        luck = chance.random()
        if luck < 0.04:
            return None
        if luck < 0.044:
            return copy.deepcopy(chance.choice(_WRONG))
        match kind:
            case Leaf(scalar, default, values):
                return self._scalar(scalar, default, values)
            case ListOf(item):
                count = chance.choice([0, 1, 1, 2, 2, 3]) if depth < 9 else 0
                return [self._value(item, depth + 1) for _ in range(count)]
            case MapOf(value):
                keys = [chance.choice(self._texts) for _ in range(chance.randrange(4))]
                return {key: self._value(value, depth + 1) for key in keys}
            case Part(type_):
                return self._message(type_, depth) if depth < 12 else {}

    def _scalar(self, scalar: Scalar, default: Any, values: tuple[str, ...]) -> Any:
        chance = self._chance
        match scalar:
            case Scalar.TEXT:
                if values and chance.random() < 0.7:
                    return chance.choice(values)
                return chance.choice(
                    [self._text(), default if default is not None else self._text()]
                )
            case Scalar.INTEGER:
                return chance.choice(
                    [*self._wholes, chance.choice(self._wholes) + chance.choice([-1, 1])]
                )
            case Scalar.NUMBER:
                return chance.choice([0, 0.5, 1.5, 100, 33.3, *self._wholes])
            case Scalar.BOOLEAN:
                return chance.random() < 0.5
            case Scalar.QUANTITY | Scalar.INT_OR_TEXT:
                return chance.choice([self._text(), 80, 8080, 0.5, 80.0, "100m", "http"])
            case Scalar.ANYTHING:
                return chance.choice([{}, {"a": self._text()}, [], self._text(), 3])

    def _text(self) -> str:
        """One of few texts, so that references meet; or a literal of the rule, with more around it."""
        chance = self._chance
        luck = chance.random()
        if luck < 0.3:
            return chance.choice(self._few)
        own = chance.choice(self._own or self._texts)
        other = chance.choice(self._texts)
        if luck < 0.55:
            return own
        if luck < 0.65:
            return own + chance.choice(["", ".", "-", " ", "/", ":", "=", "\n"]) + other
        return other + own if luck < 0.75 else other

    def _parameter(self, default: Any) -> Any:
        if isinstance(default, bool):
            return not default
        if isinstance(default, str):
            return self._text()
        if isinstance(default, int):
            return self._chance.choice(self._wholes)
        if isinstance(default, dict):
            return {self._text(): self._text()}
        if default and isinstance(default[0], int):
            return [self._chance.choice(self._wholes)]
        return [self._text() for _ in range(self._chance.randrange(3))]

    def _mutated(self, value: Any) -> Any:
        found = copy.deepcopy(value)
        for _ in range(self._chance.choice([0, 1, 1, 2, 3])):
            places = list(_places(found))
            if places:
                inner, key = self._chance.choice(places)
                self._change(inner, key)
        return found

    def _nudged(self, value: Any) -> Any:
        """A copy with one change at most, as small as can be."""
        found = copy.deepcopy(value)
        chance = self._chance
        metadata = found.get("metadata")
        if isinstance(metadata, dict) and metadata.get("namespace") == chance.choice(
            ["default", ""]
        ):
            del metadata["namespace"]
        places = [
            (inner, key) for inner, key in _places(found) if key not in ("kind", "apiVersion")
        ]
        if not places or chance.random() < 0.1:
            return found
        inner, key = chance.choice(places)
        if isinstance(inner[key], str) and chance.random() < 0.8:
            inner[key] = self._near(inner[key])
        elif type(inner[key]) is int and chance.random() < 0.8:
            inner[key] += chance.choice([-1, 1])
        else:
            self._change(inner, key)
        return found

    def _near(self, text: str) -> str:
        """A text that begins alike, ends alike, has another within it, or is one that is in use."""
        chance = self._chance
        own, other = chance.choice(self._own or self._texts), chance.choice(self._texts)
        return chance.choice(
            [
                f"{text}x", f"x{text}", text[1:], text[:-1], text.upper(), f"{text}.x", f"x.{text}",
                f"{text}/x", f"x/{text}", text.rpartition("/")[2], text.partition(".")[0],
                f"{text}\n", "", own, f"x{own}", f"{own}x", f"x{own}x", f"{own}{text}", other,
            ]
        )  # fmt: skip

    def _change(self, inner: Any, key: Any) -> None:
        chance = self._chance
        luck = chance.random()
        if luck < 0.25 and isinstance(inner, dict):
            del inner[key]
        elif luck < 0.45:
            inner[key] = None
        elif luck < 0.5:
            inner[key] = copy.deepcopy(chance.choice(_WRONG))
        elif isinstance(inner[key], bool):
            inner[key] = not inner[key]
        elif isinstance(inner[key], str):
            inner[key] = self._text()
        elif isinstance(inner[key], int):
            inner[key] = chance.choice(self._wholes)
        elif isinstance(inner[key], list) and inner[key]:
            inner[key].append(copy.deepcopy(chance.choice(inner[key])))


def _nodes(rule: program.Rule) -> Iterator[ir.Expression]:
    """All expressions of a rule, those of its helpers too."""
    waiting = [rule.body]
    seen: set[ir.Helper] = set()
    while waiting:
        for node in walk.within(waiting.pop()):
            yield node
            if isinstance(node, ir.Apply) and node.helper not in seen:
                seen.add(node.helper)
                waiting.append(node.helper.body)


def _literals(nodes: Sequence[ir.Expression]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ir.Constant):
            for value in (
                node.value if isinstance(node.value, tuple | frozenset | dict) else [node.value]
            ):
                if isinstance(value, str):
                    yield value
        elif isinstance(node, ir.Search):
            yield from (word for word in _words(node.pattern) if word)


def _compared(nodes: Sequence[ir.Expression]) -> dict[str, list[str]]:
    """What fields are compared with: those values make a difference."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        if isinstance(node, ir.Compare):
            for side, other in ((node.left, node.right), (node.right, node.left)):
                if isinstance(side, ir.Read) and isinstance(other, ir.Constant):
                    values = other.value
                    several = values if isinstance(values, frozenset | tuple) else [values]
                    words = [v for v in several if isinstance(v, str)]
                    found.setdefault(side.path[-1], []).extend(words)
    return found


def _words(pattern: str) -> list[str]:
    """The words in a pattern, which are likely to match a part of it."""
    return "".join(c if c.isalnum() or c in "-_." else " " for c in pattern).split()


def _numbers(nodes: Sequence[ir.Expression]) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, ir.Constant):
            for value in node.value if isinstance(node.value, tuple | frozenset) else [node.value]:
                if type(value) is int:
                    yield value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _places(inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield value, index
            yield from _places(inner)


@cache
def _suites() -> dict[str, list[tuple[str, str]]]:
    """What the cases of the suites beside the rules are about, before and after, by rule."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(SUITES.glob("*.yaml")):
        (document,) = parse(path.read_bytes(), path.name).documents
        for case in document.value["cases"]:
            id_ = case.get("rule") or document.value["rule"]
            texts = _stream(case.get("before")), _stream(case["given"])
            found.setdefault(id_, []).append(texts)
    return found


def _stream(given: Any) -> str:
    if isinstance(given, list):
        return "\n---\n".join(map(json.dumps, given))
    return given or ""


def _documents(text: str) -> list[Any]:
    found = (document.value for document in parse(text.encode(), "x").documents)
    return [e for e in found if isinstance(e, dict)]


def _kind_of(manifest: Any) -> tuple[str, str]:
    group, slash, _ = str(manifest.get("apiVersion")).rpartition("/")
    return group if slash else "", str(manifest.get("kind"))


def _distinct(objects: list[Any]) -> list[Any]:
    """No two alike: in a cluster the names would differ."""
    return list({json.dumps(o, sort_keys=True): o for o in objects}.values())


def _answer(
    chance: random.Random, kind: FieldType, words: dict[str, list[str]], name: str = ""
) -> Any:
    match kind:
        case Part(type_):
            fields = fields_of(type_).values()
            return {
                f.json_name: _answer(chance, f.type, words, f.json_name)
                for f in fields
                if chance.random() < 0.95
            }
        case ListOf(item):
            return [_answer(chance, item, words) for _ in range(chance.choice([0, 1, 1, 2]))]
        case Leaf(Scalar.BOOLEAN):
            return chance.random() < 0.5
        case Leaf(Scalar.INTEGER):
            return chance.choice([0, 1, 9, 10, 25, 80, 443])
        case Leaf(_, default):
            if words.get(name) and chance.random() < 0.7:
                return chance.choice(words[name])
            usual = ["yes", "no", "unknown", "", "shop/web", "web.shop.svc.cluster.local"]
            return chance.choice([*usual, default or "", chance.choice(_ODD)])
        case _:
            return {}
