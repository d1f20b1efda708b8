"""Where a repository keeps its own rules, and its waivers."""

from collections.abc import Iterator, Sequence

from meshplan.dataclass import dataclass
from meshplan.errors import SettingsError
from meshplan.finding import Finding, Severity, Waiver
from meshplan.location import Location, Side
from meshplan.policy.waivers import asked_for, problems, waivers_of
from meshplan.schema import SchemaProblem
from meshplan.settings import RuleSettings, WaiverSettings
from meshplan.source.globs import anchored
from meshplan.source.revision import EntryKind, Revision
from meshplan.source.settings import settings_bytes
from meshplan.source.yaml import locate, parse


@dataclass(frozen=True, slots=True)
class RuleText:
    """A file with rules: text to compile."""

    path: str
    content: bytes


def rule_texts(revision: Revision, settings: RuleSettings) -> tuple[RuleText, ...]:
    """The files with the repository's own rules, sorted by path.

    Raises SettingsError for a path of the settings at which there is nothing.
    """
    paths = [
        path
        for path, entry in revision.entries.items()
        if is_rule_file(path) and entry.kind is EntryKind.FILE
    ]
    wanted = set()
    for pattern in settings.paths:
        fits = anchored([pattern])
        found = [path for path in paths if fits(path)]
        if not found:
            raise SettingsError(
                f"rules.paths: no rule is at {pattern} in {revision.name}",
                hint="name a file that ends in .py, or a folder with such files",
            )
        wanted.update(found)
    contents = dict(_contents(revision, sorted(wanted)))
    return tuple(RuleText(path, contents[path]) for path in sorted(wanted))


def is_rule_file(path: str) -> bool:
    """Whether a file may hold rules: Python that is not pytest's."""
    name = path.rpartition("/")[2]
    return name.endswith(".py") and name != "conftest.py" and not name.startswith("test_")


def _contents(revision: Revision, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    entries = [revision.entries[path] for path in paths]
    for entry, content in revision.read(entries):
        yield entry.path, content
    for path in paths:
        if path in revision.unread:
            raise SettingsError(f"cannot be read: {revision.unread[path]}", path=path)


def revision_waivers(revision: Revision, settings: WaiverSettings) -> tuple[Waiver, ...]:
    """The waivers of a revision; none where it has no file of them.

    Raises SettingsError with every fault and its place.
    """
    if settings.path not in revision.entries:
        return ()
    content = settings_bytes(revision, settings.path)
    faults = waiver_faults(content, settings.path)
    if faults:
        first, *rest = faults
        place = first.locations[0]
        raise SettingsError(
            "\n".join((first.message, *(f"{f.locations[0]}: {f.message}" for f in rest))),
            hint="each entry says rule, resource, reason, owner and expires, as in 2026-03-01",
            path=settings.path,
            line=place.line,
            column=place.column,
        )
    documents = parse(content, settings.path).documents
    entries = (documents[0].value if documents else None) or []
    places = [_place(content, settings.path, f"/{index}") for index in range(len(entries))]
    return tuple(waivers_of(entries, places))


def waiver_faults(content: bytes, path: str) -> tuple[Finding, ...]:
    """Everything that is wrong with a file of waivers."""
    parsed = parse(content, path)
    if parsed.findings:
        return parsed.findings
    if len(parsed.documents) > 1:
        second = parsed.documents[1].origin
        return (_fault("a second document, where one was expected", second.location()),)
    value = parsed.documents[0].value if parsed.documents else None
    if value is None:
        return ()
    return tuple(_located(problem, content, path) for problem in problems(value))


def changed_policies(base: Revision, head: Revision, settings: RuleSettings) -> tuple[Finding, ...]:
    """That the head has other rules or waivers, which hold from the next change on."""
    return (*_changed_rules(base, head, settings), *_changed_waivers(base, head, settings.waivers))


def _changed_rules(base: Revision, head: Revision, settings: RuleSettings) -> Iterator[Finding]:
    fits = anchored(settings.paths)
    for path in sorted({*base.entries, *head.entries}):
        if not (is_rule_file(path) and fits(path)):
            continue
        was, now = base.entries.get(path), head.entries.get(path)
        if was is None or now is None or was.blob != now.blob or not now.blob:
            side = Side.BASE if now is None else Side.HEAD
            message = "a rule changes; those of the base are in force for this change"
            yield Finding("rules-changed", Severity.INFO, message, (Location(path, side=side),))


def _changed_waivers(base: Revision, head: Revision, settings: WaiverSettings) -> Iterator[Finding]:
    if settings.path not in head.entries:
        return
    content = settings_bytes(head, settings.path)
    was = settings_bytes(base, settings.path) if settings.path in base.entries else b""
    if content == was:
        return
    faults = waiver_faults(content, settings.path)
    if faults:
        yield from faults
        return
    before = () if waiver_faults(was, settings.path) else revision_waivers(base, settings)
    yield from asked_for(before, revision_waivers(head, settings))


def _located(problem: SchemaProblem, content: bytes, path: str) -> Finding:
    steps = problem.pointer.strip("/").replace("/", ".")
    known = not steps or problem.message.startswith("unknown key")
    message = problem.message if known else f"{steps}: {problem.message}"
    return _fault(message, _place(content, path, problem.pointer))


def _place(content: bytes, path: str, pointer: str) -> Location:
    line, column, end_line, end_column = locate(content, 0, pointer) or (None, None, None, None)
    return Location(path, line, column, end_line, end_column, pointer)


def _fault(message: str, where: Location) -> Finding:
    return Finding("waivers", Severity.ERROR, message, (where,))
