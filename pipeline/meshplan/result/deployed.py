"""What a deployer's order does to requests, as a sentence: which step does what, and why it is there."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from meshplan.plan import Remove, Step, Wave

if TYPE_CHECKING:
    from meshplan.proof import Counterexample

#: How many steps of a wave are named where a sentence is about the wave.
_NAMED = 2

#: What a counterexample to each invariant does to requests.
_VERBS = {"I1": "loses", "I2": "misdirects", "I3": "lets in", "I4": "flips"}


def does(found: Iterable["Counterexample"]) -> str:
    """What counterexamples do to requests: `loses`, `loses or lets in`."""
    seen = {str(example.invariant) for example in found}
    return " or ".join(verb for name, verb in _VERBS.items() if name in seen) or "loses"


def named(title: str, *, configured: bool) -> str:
    """The order that is spoken of: `Argo CD as configured` or `Helm's own order`."""
    return f"{title} as configured" if configured else f"{title}'s own order"


def step(number: int, waves: Sequence[Wave]) -> str:
    """A step of a deployer by what it does and why: `at step 2 of 5, writing VirtualService shop/web
    (Helm's install order: VirtualService)`.
    """
    place = f"at step {number + 1} of {len(waves)}"
    steps = waves[number].steps if number < len(waves) else ()
    if not steps:
        return place
    gone = [found for found in steps if isinstance(found, Remove)]
    kept = [found for found in steps if not isinstance(found, Remove)]
    doing = [f"{verb} {_listed(of)}" for verb, of in (("deleting", gone), ("writing", kept)) if of]
    reasons = dict.fromkeys(found.why for found in steps if found.why)
    why = f" ({next(iter(reasons))})" if len(reasons) == 1 else ""
    return f"{place}, {' and '.join(doing)}{why}"


def sentence(
    title: str,
    verdict: str,
    examples: Sequence["Counterexample"],
    waves: Sequence[Wave],
    *,
    configured: bool,
) -> str:
    """All of it in one sentence, with the first request that fares badly."""
    name = named(title, configured=configured)
    if not examples:
        return f"{name} is {'proven safe' if verdict == 'safe' else 'not decided'}"
    first = examples[0]
    return f"{name} {does(examples)} requests {step(first.wave, waves)}: {first.sentence}"


def _listed(steps: Sequence[Step]) -> str:
    names = [str(found.id) for found in steps]
    rest = len(names) - _NAMED
    if rest > 0:
        return f"{', '.join(names[:_NAMED])} and {rest} more"
    return " and ".join(names)
