"""What each revision would put into clusters: plain files, and whatever is rendered from files.

What is rendered may ask for more to be rendered (a Flux Kustomization that brings others, an
Application of Applications), so both revisions are walked level by level, and each level is
rendered at once.
"""

from collections.abc import Mapping

from meshplan.location import Side
from meshplan.settings import Settings
from meshplan.source.documents import Manifests
from meshplan.source.finish import Finisher
from meshplan.source.pieces import Survey
from meshplan.source.render.renderer import Renderer
from meshplan.source.repository import OwnRepository
from meshplan.source.surveyor import Surveyor
from meshplan.source.tree import Tree


def survey(
    trees: Mapping[Side, Tree],
    manifests: Manifests,
    renderer: Renderer,
    own: OwnRepository,
    settings: Settings,
) -> Mapping[Side, Survey]:
    """Read all revisions and render what they ask for."""
    surveyors = {side: Surveyor(tree, manifests, own, settings) for side, tree in trees.items()}
    finisher = Finisher()
    waiting = {side: surveyor.start() for side, surveyor in surveyors.items()}
    while any(waiting.values()):
        jobs = [(side, job) for side, found in waiting.items() for job in found]
        outcomes = renderer.render([(trees[side], job.unit.recipe) for side, job in jobs])
        waiting = {side: [] for side in trees}
        for (side, job), outcome in zip(jobs, outcomes, strict=True):
            documents = finisher.finished(job.unit, outcome)
            waiting[side].extend(surveyors[side].take(job, outcome, documents))
        for side, surveyor in surveyors.items():
            waiting[side] = waiting[side] or surveyor.unreached()
    return {side: surveyor.result() for side, surveyor in surveyors.items()}
