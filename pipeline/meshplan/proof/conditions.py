"""From routes and policies to the lists of rules that request classes are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from meshplan.mesh.read import mappings, texts
from meshplan.mesh.virtual_service import string_match_of
from meshplan.proof.space import AddressTest, AnyTest, Clause, Rule, RuleList, as_test
from meshplan.proof.texts import quoted
from meshplan.traffic.authorization import (
    AddressIn,
    Atom,
    Filter,
    IdentityIs,
    PolicyAction,
    Test,
)
from meshplan.traffic.condition import (
    ClaimCondition,
    Condition,
    Exact,
    HeaderCondition,
    PathCondition,
    Prefix,
    Present,
    QueryCondition,
    Regex,
    SeparatedPrefix,
    TokenPlace,
    text_holds,
    text_match,
)
from meshplan.traffic.table import Forward, Rewrite, Route, VirtualHost

#: How much of a path is replaced, and by what; None where that cannot be told.
Shift = tuple[int, str]

_OPTIONS = HeaderCondition(":method", Exact("OPTIONS"))
_PREFLIGHT = HeaderCondition("access-control-request-method", Present())


def of_routes(host: VirtualHost) -> Iterator[RuleList]:
    """The rules of a virtual host in order, and what its routes look at besides."""
    yield RuleList(tuple(_route_rule(route.conditions) for route in host.routes))
    asides = [*_asides(c for route in host.routes for c in route.conditions)]
    for route in host.routes:
        if isinstance(route.action, Forward) and route.action.cors is not None:
            asides += _cors(route.action.cors)
    if asides:
        yield RuleList(tuple(dict.fromkeys(asides)), ends=False)


def of_filters(filters: Iterable[Filter], shifts: Iterable[Shift | None]) -> Iterator[RuleList]:
    """The rules of AuthorizationPolicies, for each way in which paths change before they are seen."""
    filters = tuple(filters)
    for shift in dict.fromkeys(shifts):
        for built in filters:
            rules: list[Rule] = []
            asides: list[Rule] = []
            for rule in built.rules:
                for permission in rule.permissions:
                    for principal in rule.principals:
                        tests = (*permission, *principal)
                        rules.append(tuple(_clause(test, shift) for test in tests))
                        for test in tests:
                            asides += _asides((*test.any_of, *test.none_of))
            yield RuleList(tuple(rules), ends=built.action is not PolicyAction.CUSTOM)
            if asides:
                yield RuleList(tuple(dict.fromkeys(asides)), ends=False)


def of_places(places: Iterable[TokenPlace]) -> RuleList:
    """Whether there is a token, in each of the places where one may be."""
    return RuleList(tuple((_single(_token(place)),) for place in places), ends=False)


def shift_of(rewrite: Rewrite, route: Route) -> Shift | None:
    """What a rewrite does to the beginning of the paths of a route; None where it is a pattern.

    (0, "") where it does nothing.
    """
    if rewrite.regex is not None:
        return None
    if rewrite.prefix is None:
        return 0, ""
    for condition in route.conditions:
        if isinstance(condition, PathCondition):
            match condition.text:
                case Prefix(value) | SeparatedPrefix(value):
                    return len(value), rewrite.prefix
                case _:
                    pass
    return _WHOLE, rewrite.prefix


#: In the place of a length: all of the path.
_WHOLE = -1


def left_open(filters: Iterable[Filter], identity: str) -> tuple[object, ...]:
    """What policies still ask when it is known who the client is: the same for alike clients."""
    found = []
    for built in filters:
        allows = built.action is PolicyAction.ALLOW
        rules = []
        for rule in built.rules:
            asked = tuple(
                _alternatives(tests, identity) for tests in (rule.permissions, rule.principals)
            )
            if all(asked):
                # Which of several rules lets a request in makes no difference.
                rules.append(("" if allows else rule.name, asked))
        found.append((built.action, built.policies, built.providers, frozenset(rules)))
    return tuple(found)


def _alternatives(
    alternatives: Iterable[tuple[Test, ...]], identity: str
) -> frozenset[frozenset[Test]]:
    """The alternatives that are left; one without tests holds, and none at all never does."""
    found = set()
    for tests in alternatives:
        kept = [_rest(test, identity) for test in tests]
        if False not in kept:
            found.add(frozenset(test for test in kept if isinstance(test, Test)))
    return frozenset([frozenset()] if frozenset() in found else found)


def _rest(test: Test, identity: str) -> Test | bool:
    """A test without what it asks about the client; True or False if nothing else counts."""
    met, rest = _known(test.any_of, identity)
    excluded, others = _known(test.none_of, identity)
    if excluded or (test.any_of and not met and not rest):
        return False
    left = Test(() if met else rest, others)
    return left if left.any_of or left.none_of else True


def _known(atoms: Iterable[Atom], identity: str) -> tuple[bool, tuple[Atom, ...]]:
    """Whether some pattern of identities is met, and the atoms about anything else."""
    atoms = tuple(atoms)
    name = f"spiffe://{identity}"
    asked = [atom for atom in atoms if isinstance(atom, IdentityIs)]
    met = bool(identity) and any(text_holds(atom.text, name) for atom in asked)
    return met, tuple(atom for atom in atoms if not isinstance(atom, IdentityIs))


def undecidable(filters: Iterable[Filter]) -> bool:
    """Whether policies look at the whole path with its query, which classes do not tell apart."""
    return any(
        asks_for_whole_path((*test.any_of, *test.none_of))
        for built in filters
        for rule in built.rules
        for alternative in (*rule.permissions, *rule.principals)
        for test in alternative
    )


def asks_for_whole_path(conditions: Iterable[Atom]) -> bool:
    """Whether conditions look at the path with its query, as at a header."""
    return any(isinstance(one, HeaderCondition) and one.name == ":path" for one in conditions)


def _route_rule(conditions: Iterable[Condition]) -> Rule:
    return tuple(_single(condition) for condition in conditions)


def _single(condition: Condition) -> Clause:
    test = as_test(condition, None)
    return Clause(unsure=True) if test is None else Clause((test,))


def _asides(conditions: Iterable[Atom]) -> Iterator[Rule]:
    """What conditions that are not decided depend on: where tokens are."""
    for condition in conditions:
        if isinstance(condition, ClaimCondition):
            for place in condition.places:
                yield (_single(_token(place)),)


def _token(place: TokenPlace) -> Condition:
    match place.kind:
        case "header":
            return HeaderCondition(place.name.lower(), Prefix(place.prefix))
        case "param":
            return QueryCondition(place.name, Present())
        case _:
            return HeaderCondition("cookie", Regex(f"(.*; *)?{quoted(place.name)}=.*"))


def _cors(cors: Mapping[str, object]) -> Iterator[Rule]:
    """Which requests the proxy answers by itself: preflights, by their origin."""
    stated = [text_match(string_match_of(entry)) for entry in mappings(cors.get("allowOrigins"))]
    plain = [Exact(value) for value in texts(cors.get("allowOrigin"))]
    common = (_single(_OPTIONS), _single(_PREFLIGHT))
    yield (*common, _single(HeaderCondition("origin", Regex(".+"))))
    for match in (*stated, *plain):
        yield (*common, _single(HeaderCondition("origin", match)))


def _clause(test: Test, shift: Shift | None) -> Clause:
    """A test of a policy; one that is not about parts of the request alone is unsure."""
    positive, negative = (_tests(atoms, shift) for atoms in (test.any_of, test.none_of))
    if positive is None or negative is None:
        return Clause(unsure=True)
    return Clause(positive, negative)


def _tests(atoms: Sequence[Atom], shift: Shift | None) -> tuple[AnyTest, ...] | None:
    """A test for each atom; None if there is none for some."""
    found = tuple(one for atom in atoms if (one := _test(atom, shift)) is not None)
    return found if len(found) == len(atoms) else None


def _test(atom: Atom, shift: Shift | None) -> AnyTest | None:
    match atom:
        case AddressIn(which="peer" | "remote"):
            return AddressTest(atom)
        case PathCondition() if shift is None:
            pass
        case PathCondition() | HeaderCondition() | QueryCondition() | ClaimCondition():
            return as_test(atom, shift if shift != (0, "") else None)
        case _:
            pass
    return None
