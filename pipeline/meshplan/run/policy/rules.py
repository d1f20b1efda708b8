"""The rules that a command is about: those that are named, or those that are in force here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path, PurePosixPath

from meshplan.data import data_path
from meshplan.dataclass import dataclass
from meshplan.errors import SettingsError, UsageError
from meshplan.finding import Severity
from meshplan.policy import program
from meshplan.policy.levels import is_off
from meshplan.policy.library import Pack
from meshplan.policy.parameters import given
from meshplan.run.request import Request, settings_for
from meshplan.schema.wording import did_you_mean
from meshplan.settings import SETTINGS_FILES, LevelSettings, RuleSettings, Settings
from meshplan.source.alone import open_alone
from meshplan.source.files import Contents
from meshplan.source.git_command import NoRepositoryError
from meshplan.source.git_repository import open_repository
from meshplan.source.policies import is_rule_file, rule_texts
from meshplan.source.revision import EntryKind, Revision

_LEVELS = {Severity.ERROR: "deny", Severity.WARNING: "warn", Severity.INFO: "info"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rules to work with, and the files that lie beside them."""

    pack: Pack
    settings: Settings
    #: The texts of the rules by path.
    texts: dict[str, str]
    #: Suites of tests, by path.
    suites: dict[str, bytes]
    #: Whether suites alone were named: then the examples in docstrings are left aside.
    suites_alone: bool = False

    @property
    def rules(self) -> tuple[program.Rule, ...]:
        """The rules by id, as they are written."""
        return tuple(sorted(self.pack.rules, key=lambda rule: rule.id))

    @property
    def in_force(self) -> tuple[program.Rule, ...]:
        """The rules with the levels and parameters of the settings, without those that are off.

        Levels that hold at some places alone are left aside: no other engine knows these places.
        """
        settings = self.settings.rules
        return tuple(
            _with_settings(rule, settings)
            for rule in self.rules
            if not is_off(rule.id, settings.levels)
        )


def builtin() -> dict[str, str]:
    """The texts of the rules that come with meshplan, by path."""
    folder = data_path("policies")
    return {f"policies/{p.name}": p.read_text("utf-8") for p in sorted(folder.glob("*.py"))}


def _builtin_suites() -> dict[str, bytes]:
    folder = data_path("policies") / "tests"
    return {f"policies/tests/{p.name}": p.read_bytes() for p in sorted(folder.glob("*.yaml"))}


def choose(
    request: Request, paths: Sequence[Path] = (), *, suites: bool = False, own: bool = False
) -> Chosen:
    """The rules in files and folders; without any, those that the settings put in force.

    With `suites`, suites may be named as well. `own` leaves out those that come with meshplan where
    the repository has rules of its own. Raises UsageError where there are none, PolicyError and
    SettingsError where something is wrong.
    """
    revision, wanted = _opened(request.directory, paths)
    settings, _ = settings_for(request, None, revision)
    texts: dict[str, str] = {}
    places = (wanted if paths else settings.rules.paths) if suites else ()
    tests = dict(_suites(revision, places))
    for path, place in zip(paths, wanted, strict=True):
        found = dict(_read(revision, place, is_rule_file))
        if not found and not any(_is_below(suite, place) for suite in tests):
            hint = "name a file that ends in .py, or a folder with such files"
            raise UsageError(f"no rule is at {path}", hint=hint)
        texts |= {name: content.decode("utf-8", "replace") for name, content in found.items()}
    suites_alone = bool(tests) and not texts
    if not texts:
        texts = _of_settings(revision, settings.rules)
        if settings.rules.builtin and not (own and texts and not paths):
            # A file of the repository may have the name of one of ours: both hold.
            ours = {f"meshplan/{p}" if p in texts else p: text for p, text in builtin().items()}
            texts = ours | texts
            tests = (_builtin_suites() if suites and not paths else {}) | tests
    pack = Pack.of(texts)
    pack.raise_errors()
    for rule in pack.rules:
        # Said here, before anything is written.
        given(rule, settings.rules.parameters.get(rule.id, {}))
    return Chosen(pack, settings, texts, tests, suites_alone and bool(paths))


def rule_of(pack: Pack, id_: str) -> program.Rule:
    """The rule with an id, however it is capitalised; raises UsageError for none."""
    for rule in pack.rules:
        if rule.id.lower() == id_.lower():
            return rule
    hint = did_you_mean(id_, [rule.id for rule in pack.rules])
    raise UsageError(f'no rule "{id_}"{hint}', hint="`meshplan policy list` lists them")


def explained(request: Request, id_: str) -> program.Rule:
    """A rule of the pack or of the repository."""
    pack = Pack.of(builtin())
    if any(rule.id.lower() == id_.lower() for rule in pack.rules):
        # What comes with meshplan can be looked up anywhere.
        return rule_of(pack, id_)
    return rule_of(choose(request).pack, id_)


def _opened(directory: Path, paths: Sequence[Path]) -> tuple[Revision, tuple[str, ...]]:
    """The tree that holds the paths: that of `directory` where they are in it."""
    root = directory.resolve()
    if paths and all((directory / path).resolve().is_relative_to(root) for path in paths):
        revision, wanted = open_alone(directory, None, [*paths, Path()])
        return revision, wanted[:-1]
    if not paths and not _says_anything(directory):
        return Contents(str(directory), {}), ()
    return open_alone(directory, None, paths)


def _says_anything(directory: Path) -> bool:
    """Whether there can be settings here; any other folder need not be gone through."""
    try:
        open_repository(directory)
    except NoRepositoryError:
        return any((directory / name).exists() for name in SETTINGS_FILES)
    return True


def _of_settings(revision: Revision, settings: RuleSettings) -> dict[str, str]:
    found = rule_texts(revision, settings) if settings.paths else ()
    return {text.path: text.content.decode("utf-8", "replace") for text in found}


def _suites(revision: Revision, places: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for place in places:
        yield from _read(revision, place, partial(is_suite, place))


def is_suite(place: str, path: str) -> bool:
    """Whether a file holds tests of rules: YAML in a folder `tests`, or a file that is named."""
    pure = PurePosixPath(path)
    return pure.suffix in (".yaml", ".yml") and (path == place or pure.parent.name == "tests")


def _read(
    revision: Revision, place: str, fits: Callable[[str], bool]
) -> Iterator[tuple[str, bytes]]:
    entries = [
        entry
        for path, entry in revision.entries.items()
        if entry.kind is EntryKind.FILE and _is_below(path, place) and fits(path)
    ]
    for entry, content in revision.read(entries):
        yield entry.path, content
    for entry in entries:
        if entry.path in revision.unread:
            reason = revision.unread[entry.path]
            raise SettingsError(f"cannot be read: {reason}", path=entry.path)


def _is_below(path: str, place: str) -> bool:
    return not place or path == place or path.startswith(place.rstrip("/") + "/")


def _with_settings(rule: program.Rule, settings: RuleSettings) -> program.Rule:
    values = settings.parameters.get(rule.id, {})
    parameters = tuple(
        replace(p, default=values[p.name]) if p.name in values else p for p in rule.parameters
    )
    level = _level(rule, settings.levels)
    return replace(rule, parameters=parameters, level=level)


def _level(rule: program.Rule, levels: tuple[LevelSettings, ...]) -> str:
    for level in reversed(levels):
        anywhere = not (level.targets or level.namespaces or level.kinds or level.paths)
        if anywhere and any(fnmatchcase(rule.id, pattern) for pattern in level.rules):
            return _LEVELS[level.severity] if level.severity else rule.level
    return rule.level
