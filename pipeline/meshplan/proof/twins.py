"""Topics that are alike up to names: what is proven of one is proven of the other.

A fleet is a hundred services from one template, and a change of it a hundred times the same change.
Two topics are twins if all that is known about them is equal after some parts of names are taken for
others, such as `00500` in `svc-00500` for `00600`. What a mesh does with a request does not depend on
how things are called: it compares names, sorts them, and looks at parts between separators. That is
why only such words count as exchangeable

- that have a digit, and are none with a meaning (`http2`);
- that are only in texts that are names as a whole: not in addresses, times, paths, or in matches
  of prefixes, suffixes and regexes; and that none of the words there begins or ends;
- and that what takes their place has the same length, the same place in the order of all words at
  hand, and is the beginning of the same words.
"""

import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import Enum, auto
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from meshplan.dataclass import dataclass
from meshplan.mesh.age import creation_time
from meshplan.mesh.workload import workload_kinds, workload_of
from meshplan.proof.cases import Case
from meshplan.resource import Resource

if TYPE_CHECKING:
    from meshplan.proof.topics import TopicCases

WORDS = re.compile("([A-Za-z0-9]+)")
#: A wildcard in the middle of a word.
_STARRED = re.compile(r"[A-Za-z0-9]\*|\*[A-Za-z0-9]")
#: Keys of what is compared with parts of requests.
_COMPARED = frozenset(("exact", "prefix", "suffix", "uri", "value"))
_LETTER = re.compile("[A-Za-z]")
#: Words with digits that the mesh knows itself.
MEANINGS = frozenset(
    [
        "2f",
        "5c",
        "5s",
        "5xx",
        "h2c",
        "http2",
        "k8s",
        "re2",
        "v1",
        "v1alpha1",
        "v1alpha2",
        "v1alpha3",
        "v1beta1",
        "v2",
        "z0",
    ]
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)
_WORKLOADS = frozenset(workload_kinds()) - {("networking.istio.io", "WorkloadEntry")}
_REGEXES = frozenset(("regex", "safeRegex", "safeRegexMatch", "RegularExpression"))


class _Use(Enum):
    """What the words of a text are used for."""

    NAME = auto()
    FIRM = auto()
    CUTTING = auto()


@dataclass(slots=True)
class _Words:
    """The words of something, by what they are used for."""

    names: set[str] = field(default_factory=set)
    #: In texts that are not names.
    firm: set[str] = field(default_factory=set)
    #: In texts that names or parts of them may be held against, as prefixes for instance.
    cutting: set[str] = field(default_factory=set)
    #: In the names of objects.
    own: set[str] = field(default_factory=set)
    #: Whether there is a regex, which looks at names in its own way.
    opaque: bool = False

    def update(self, other: "_Words") -> None:
        """Add the words of another thing."""
        self.names |= other.names
        self.firm |= other.firm
        self.cutting |= other.cutting
        self.own |= other.own
        self.opaque = self.opaque or other.opaque


@dataclass(frozen=True, slots=True)
class Script:
    """What is known of something: words and what is between them in turn."""

    parts: tuple[str, ...]
    words: _Words


#: Scripts by the identity of a resource, which is kept alive.
Scripts = dict[int, tuple[Resource, Script]]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a topic has in common with its twins, and the names that it has in their place."""

    key: Hashable
    names: tuple[str, ...]


def likeness_of(cases: "TopicCases", scripts: Scripts) -> Likeness | None:
    """The key is the same for twins; None for a topic that is not compared with others."""
    texts = list(_scripts(cases, scripts))
    words = _Words()
    for found in texts:
        words.update(found.words)
    names = () if words.opaque else _exchangeable(words)
    if not names:
        return None
    order = sorted(words.names)
    exchanged = tuple(sorted(names))
    shown = {word: f"\0{len(word)}.{number}" for number, word in enumerate(exchanged)}
    body = tuple(tuple(map(shown.get, found.parts, found.parts)) for found in texts)
    begun = tuple(_begun(order, shown))
    return Likeness((body, tuple(shown.get(word, word) for word in order), begun), exchanged)


def _begun(order: Sequence[str], shown: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Which words are the beginnings of which others, where one of them is exchanged."""
    everything = set(order)
    exchanged = tuple(sorted(shown, key=len))
    for word in order:
        begun = (word[:length] for length in range(1, len(word))) if word in shown else exchanged
        for start in begun:
            if start in everything and start != word and word.startswith(start):
                yield shown.get(start, start), shown.get(word, word)


def _exchangeable(words: _Words) -> set[str]:
    """The words that may stand for others."""
    cutting = tuple(words.cutting)
    return {
        word
        for word in words.own - words.firm - MEANINGS
        if len(word) > 1
        and _is_name(word)
        and not (word.startswith(cutting) or word.endswith(cutting))
    }


def _is_name(word: str) -> bool:
    """Whether it has a digit, and no letter that has another case."""
    return any(char.isdecimal() for char in word) and word == word.lower()


def _scripts(cases: "TopicCases", scripts: Scripts) -> Iterator[Script]:
    """All that outcomes depend on, apart from the settings of the mesh."""
    topic, scope = cases.topic, cases.scope
    yield _script([topic.kind, topic.host, topic.namespace, list(topic.labels)])
    yield _script([list(cases.known), [_id(id_) for id_ in cases.rivals]])
    for versions in scope.all_versions():
        yield _object(len(versions))
        for version in versions:
            yield _EMPTY if version is None else _of_resource(version, scripts)
    for resource in scope.context:
        yield _of_resource(resource, scripts)
    for case in cases.cases(reverse=False):
        yield _script(_of_case(case))


_EMPTY = Script(("null",), _Words())


@cache
def _object(versions: int) -> Script:
    return _script(["object", versions])


def _of_case(case: Case) -> object:
    base, client = case.base, case.client
    proxy = client.proxy and [
        client.proxy.kind,
        client.proxy.namespace,
        list(client.proxy.labels.items()),
        client.proxy.service_account,
    ]
    stages = [list(case.stages.routes), list(case.stages.clusters), list(case.stages.servers)]
    return [
        [proxy, client.anywhere],
        [base.host, base.scheme, base.principal, f"port {base.port}"],
        case.transport,
        str(stages),
    ]


def _of_resource(resource: Resource, scripts: Scripts) -> Script:
    known = scripts.get(id(resource))
    if known is None:
        found = _script(_content(resource))
        for name in (resource.id.namespace, resource.id.name):
            found.words.own.update(WORDS.findall(name))
        known = scripts[id(resource)] = (resource, found)
    return known[1]


def _content(resource: Resource) -> object:
    """What the mesh reads of an object; of what makes pods that is little."""
    id_ = _id(resource.id)
    if (resource.id.group, resource.id.kind) in _WORKLOADS:
        pods = workload_of(resource)
        if pods is not None:
            ports = [f"{name} {number}" for name, number in pods.ports.items()]
            account, labels = pods.service_account, dict(pods.labels)
            found = [labels, ports, account, pods.running, pods.injected, creation_time(resource)]
            return [id_, found]
    return [id_, resource.api_version, resource.manifest]


def _id(id_: Any) -> list[str]:
    return [id_.group, id_.kind, id_.namespace, id_.name]


def _script(value: object) -> Script:
    text = _ENCODER.encode(value)
    words = _Words()
    _read(value, words, "")
    return Script(tuple(WORDS.split(text)), words)


def _read(value: object, words: _Words, key: str) -> None:
    """Collect the words of a value that is found under a key."""
    match value:
        case str():
            found, use = _words_of(value, is_compared=key in _COMPARED)
            words.names.update(found)
            if use is _Use.CUTTING:
                words.cutting.update(found)
            elif use is _Use.FIRM:
                words.firm.update(found)
            words.opaque = words.opaque or value in _REGEXES
        case Mapping():
            for name, part in value.items():
                _read(name, words, "")
                _read(part, words, str(name))
        case list() | tuple():
            for part in value:
                _read(part, words, key)
        case _:
            pass


@lru_cache(100_000)  # most texts are keys of manifests, and those are few
def _words_of(value: str, *, is_compared: bool) -> tuple[tuple[str, ...], _Use]:
    """The words of a text, and what they are used for."""
    found = tuple(WORDS.findall(value))
    # It may be compared with a part of another.
    if is_compared or value.startswith("/") or _STARRED.search(value):
        return found, _Use.CUTTING
    is_name = ":" not in value and _LETTER.search(value) and _is_plain(value)
    return found, _Use.NAME if is_name else _Use.FIRM


def _is_plain(value: str) -> bool:
    return value.isascii() and "\\" not in value
