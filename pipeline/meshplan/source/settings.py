"""Where the settings are read: `.meshplan.yaml` of a revision, or a file that the user names."""

from pathlib import Path

from meshplan.errors import SettingsError
from meshplan.finding import Finding, Severity
from meshplan.location import Location, Side
from meshplan.schema import SchemaProblem, validate
from meshplan.settings import SETTINGS_FILES, Settings, settings_of
from meshplan.source.revision import EntryKind, Revision
from meshplan.source.yaml import locate, parse


def settings_path(revision: Revision) -> str | None:
    """The settings file at the root of a revision. Raises SettingsError if there are two."""
    found = [
        name
        for name in SETTINGS_FILES
        if name in revision.entries and revision.entries[name].kind is not EntryKind.SUBMODULE
    ]
    if len(found) > 1:
        raise SettingsError(f"{' and '.join(found)} are both there", hint="delete one of them")
    return found[0] if found else None


def settings_bytes(revision: Revision, path: str) -> bytes:
    """What a settings file holds. Raises SettingsError if its content is not at hand."""
    entry = revision.entries[path]
    if entry.kind is EntryKind.SYMLINK:
        raise SettingsError("is a symbolic link, and settings are not read through one", path=path)
    for _, content in revision.read([entry]):
        return content
    raise SettingsError(f"cannot be read: {revision.unread.get(path, 'not at hand')}", path=path)


def revision_settings(revision: Revision) -> Settings:
    """The settings of a revision, or the defaults. Raises SettingsError where they are wrong."""
    path = settings_path(revision)
    if path is None:
        return Settings()
    return checked_settings(settings_bytes(revision, path), path)


def file_settings(file: Path) -> Settings:
    """The settings in a file of the user's. Raises SettingsError where they are wrong."""
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise SettingsError(f"cannot read the settings {file}: {reason}") from error
    return checked_settings(content, str(file))


def checked_settings(content: bytes, path: str) -> Settings:
    """Settings from the bytes of a file. Raises SettingsError with every fault and its place."""
    problems = settings_findings(content, path)
    if problems:
        first, *rest = problems
        place = first.locations[0]
        raise SettingsError(
            "\n".join((first.message, *(f"{p.locations[0]}: {p.message}" for p in rest))),
            hint=first.help or "`meshplan schema settings` prints what may be written there",
            path=path,
            line=place.line,
            column=place.column,
        )
    documents = parse(content, path).documents
    value = documents[0].value if documents else None
    return settings_of(value or {}, path)


def settings_findings(content: bytes, path: str) -> tuple[Finding, ...]:
    """Everything that is wrong with a settings file."""
    parsed = parse(content, path)
    if parsed.findings:
        return parsed.findings
    if len(parsed.documents) > 1:
        second = parsed.documents[1].origin
        return (_finding("a second document, where one was expected", second.location()),)
    value = parsed.documents[0].value if parsed.documents else None
    if value is None:
        return ()
    return tuple(_located(problem, content, path) for problem in validate("settings", value))


def _located(problem: SchemaProblem, content: bytes, path: str) -> Finding:
    place = locate(content, 0, problem.pointer)
    line, column, end_line, end_column = place or (None, None, None, None)
    where = Location(path, line, column, end_line, end_column, problem.pointer)
    steps = problem.pointer.strip("/").replace("/", ".")
    known = not steps or problem.message.startswith("unknown key")
    return _finding(problem.message if known else f"{steps}: {problem.message}", where)


def _finding(message: str, where: Location) -> Finding:
    return Finding("settings", Severity.ERROR, message, (where,))


def changed_settings(base: Revision, head: Revision) -> tuple[Finding, ...]:
    """That the head has other settings, which hold from the next change on, and their faults."""
    path = settings_path(head)
    was = settings_path(base)
    if path is None:
        if was is None:
            return ()
        where = Location(was, side=Side.BASE)
        return (_changed(f"{was} is deleted; it is still in force for this change", where),)
    content = settings_bytes(head, path)
    if was == path and settings_bytes(base, was) == content:
        return ()
    faults = settings_findings(content, path)
    message = "the settings change; those of the base are in force for this change"
    return (_changed(message, Location(path)), *faults)


def _changed(message: str, where: Location) -> Finding:
    return Finding("settings-changed", Severity.INFO, message, (where,))
