"""The orders of the deployers that people have, as plans that can be proven or refuted."""

from meshplan.deployers.argocd import ARGOCD
from meshplan.deployers.deployer import Deployer, Options
from meshplan.deployers.flux import FLUX
from meshplan.deployers.helm import HELM
from meshplan.deployers.kapp import KAPP
from meshplan.deployers.kubectl import KUBECTL

__all__ = ["DEPLOYERS", "Deployer", "Options", "deployer_named"]

DEPLOYERS = (ARGOCD, FLUX, HELM, KUBECTL, KAPP)


def deployer_named(name: str) -> Deployer | None:
    """The deployer of that name."""
    return next((deployer for deployer in DEPLOYERS if deployer.name == name), None)
