"""Rules to work with: the files of a pack, read, checked and ready to run.

    pack = Pack.of({"policies/port_protocol_declared.py": text})
    pack.raise_errors()
    for rule in pack.compiled:
        hits = rule.run(manifest, None, world, parameters, invariants)

`judge.py` does that for whole meshes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from meshplan.policy import program
from meshplan.policy.errors import Diagnostic, Grade, PolicyError, Span
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.syntax import module_of


class Pack:
    """Rules that can be used together: each id once."""

    def __init__(self, modules: Iterable[program.Module], diagnostics: Iterable[Diagnostic] = ()):
        self.modules = tuple(modules)
        self.rules = tuple(rule for module in self.modules for rule in module.rules)
        #: Mistakes and warnings of all files; a file with a mistake has no rules.
        self.diagnostics = (*diagnostics, *_twice(self.rules))

    @classmethod
    def of(cls, texts: Mapping[str, str] | Iterable[tuple[str, str]]) -> "Pack":
        """The rules of files: the text of each by its path; two may have one path, as a file of
        meshplan and one of a repository.
        """
        pairs = texts.items() if isinstance(texts, Mapping) else texts
        found = [module_of(path, text) for path, text in sorted(pairs)]
        return cls([module for module, _ in found], [d for _, more in found for d in more])

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Why some of the rules cannot be used."""
        return tuple(d for d in self.diagnostics if d.grade is Grade.ERROR)

    def raise_errors(self) -> None:
        """Raise PolicyError if there is a mistake in a rule."""
        if self.errors:
            raise PolicyError(self.errors)

    @cached_property
    def compiled(self) -> tuple[CompiledRule, ...]:
        """The rules, ready to run."""
        return tuple(CompiledRule(rule) for rule in self.rules)

    def rule(self, id_: str) -> program.Rule | None:
        """The rule with an id."""
        return next((rule for rule in self.rules if rule.id == id_), None)


def _twice(rules: Sequence[program.Rule]) -> Iterator[Diagnostic]:
    seen: dict[str, program.Rule] = {}
    for rule in rules:
        first = seen.setdefault(rule.id, rule)
        if first is not rule:
            message = f"{rule.id} is the id of {first.path}:{first.span.line} already"
            span = Span(rule.span.line, rule.span.column, rule.span.line, rule.span.column + 1)
            yield Diagnostic("E123", message, rule.path, span, "", "give it another")
