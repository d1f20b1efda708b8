"""Where an Application and its manifests are read: Argo CD's API, or Kubernetes' own."""

import json
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from meshplan.argocd.application import Application, ArgoError, application_of
from meshplan.delivery.http import Answer, Http

#: Where a pod finds what it may say to Kubernetes.
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Applications(Protocol):
    """Whoever knows the Application."""

    def application(self, namespace: str, name: str) -> Application:
        """The Application as it is now."""


class ArgoServer:
    """Argo CD's API, with a token that may `get` Applications."""

    def __init__(self, url: str, token: str, *, ca: str = "", plain: bool = False):
        if not token:
            raise ArgoError("there is no token for Argo CD", hint="hand over ARGOCD_AUTH_TOKEN")
        url = url if "://" in url else f"https://{url}"
        self._http = http_of(url, token, ca, plain=plain)

    def application(self, namespace: str, name: str) -> Application:
        """The Application as it is now, looked at anew."""
        query = urlencode({"appNamespace": namespace} if namespace else {})
        path = f"api/v1/applications/{quote(name, safe='')}"
        what = f"Application {name}"
        return application_of(self._get(f"{path}?{query}", what))

    def manifests(self, found: Application, revision: str) -> tuple[Any, ...]:
        """The objects that Argo CD makes of a revision."""
        asked = {"revision": revision, "appNamespace": found.namespace}
        path = f"api/v1/applications/{quote(found.name, safe='')}/manifests?{urlencode(asked)}"
        value = self._get(path, f"the manifests of {found.name} at {revision[:9]}")
        texts = value.get("manifests") if isinstance(value, Mapping) else None
        if not isinstance(texts, list):
            raise ArgoError(f"Argo CD has no manifests of {found.name} at {revision[:9]}")
        return tuple(_parsed(text) for text in texts)

    def live(self, found: Application) -> tuple[Any, ...]:
        """The objects of the Application that are in the cluster."""
        query = urlencode({"appNamespace": found.namespace})
        name = quote(found.name, safe="")
        path = f"api/v1/applications/{name}/managed-resources?{query}"
        value = self._get(path, f"the live objects of {found.name}")
        items = value.get("items") if isinstance(value, Mapping) else None
        states = [item.get("liveState") for item in items or () if isinstance(item, Mapping)]
        return tuple(_parsed(state) for state in states if state and state != "null")

    def _get(self, path: str, what: str) -> Any:
        return answered(self._http.send("GET", path), what, "Argo CD")


class Cluster:
    """Kubernetes' API, as a pod sees it."""

    def __init__(self, http: Http):
        self.http = http

    @classmethod
    def inside(cls, env: Mapping[str, str]) -> "Cluster":
        """The cluster that this runs in. Raises ArgoError outside of one.

        MESHPLAN_KUBERNETES_API names another address, as that of `kubectl proxy`.
        """
        host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT", "443")
        try:
            token = (SERVICE_ACCOUNT / "token").read_text("utf-8").strip()
        except OSError:
            token = ""
        if not host or not token:
            raise ArgoError(
                "this does not run in a cluster, or its pod has no service account token",
                hint="name Argo CD's address with --server",
            )
        shown = f"[{host}]" if ":" in host else host
        url = env.get("MESHPLAN_KUBERNETES_API") or f"https://{shown}:{port}"
        return cls(http_of(url, token, str(SERVICE_ACCOUNT / "ca.crt")))

    def application(self, namespace: str, name: str) -> Application:
        """The Application as it is now."""
        group = f"apis/argoproj.io/v1alpha1/namespaces/{quote(namespace, safe='')}"
        path = f"{group}/applications/{quote(name, safe='')}"
        answer = self.http.send("GET", path)
        return application_of(answered(answer, f"Application {namespace}/{name}", "Kubernetes"))


def http_of(url: str, token: str, ca: str = "", *, plain: bool = False) -> Http:
    """An API with a token, and with a certificate authority of its own if one is named."""
    handlers: tuple[urllib.request.BaseHandler, ...] = ()
    if ca and url.startswith("https:"):
        try:
            context = ssl.create_default_context(cafile=ca)
        except OSError as error:
            raise ArgoError(f"the certificate authority {ca} cannot be read") from error
        handlers = (urllib.request.HTTPSHandler(context=context),)
    return Http(url, {"Authorization": f"Bearer {token}"}, handlers=handlers, plain=plain)


def answered(answer: Answer, what: str, who: str) -> Any:
    """The answer, or why there is none."""
    said = f": {answer.message}" if answer.message else ""
    if answer.status == 401:
        raise ArgoError(f"{who} does not accept the token{said}")
    if answer.status == 403:
        raise ArgoError(
            f"{who} does not let this account read {what}{said}",
            hint="docs/how-to/argo-cd.md has the roles that are needed",
        )
    if answer.status == 404:
        raise ArgoError(f"{who} has no {what}{said}")
    if not answer.ok:
        raise ArgoError(f"{who} answers {answer.status} for {what}{said}")
    return answer.json()


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise ArgoError("Argo CD gives a manifest that is no JSON") from None
