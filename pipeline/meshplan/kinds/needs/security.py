"""What policies and extensions of Istio rely on."""

from collections.abc import Iterator
from typing import Any

from meshplan.identity import ResourceId
from meshplan.kinds.need import ExtensionProvider, Need, Object, TokenRule
from meshplan.kinds.needs.read import at, items, text, texts
from meshplan.resource import Resource


def of_authorization_policy(resource: Resource, _domain: str) -> Iterator[Need]:
    """The provider of a CUSTOM policy, and the reader of the tokens that its rules ask for."""
    provider = text(at(resource.spec, "provider", "name"))
    if resource.spec.get("action") == "CUSTOM" and provider:
        why = f"{resource.id} asks extension provider {provider}"
        yield Need(ExtensionProvider(provider), "/spec/provider/name", why, "403")
    for index, rule in items(resource.spec.get("rules")):
        if _asks_for_token(rule):
            why = f"rules[{index}] of {resource.id} asks for claims of a token"
            what = TokenRule(resource.id.namespace)
            yield Need(what, f"/spec/rules/{index}", why, "403")


def _asks_for_token(rule: Any) -> bool:
    for _, source in items(rule.get("from")):
        found = source.get("source")
        if texts(at(found, "requestPrincipals")) or texts(at(found, "notRequestPrincipals")):
            return True
    return any(
        text(condition.get("key")).startswith("request.auth.")
        for _, condition in items(rule.get("when"))
    )


def of_telemetry(resource: Resource, _domain: str) -> Iterator[Need]:
    """The extension providers that it reports to."""
    for section in ("metrics", "tracing", "accessLogging"):
        for index, entry in items(resource.spec.get(section)):
            for number, provider in items(entry.get("providers")):
                name = text(provider.get("name"))
                if name:
                    why = f"{section}[{index}] of {resource.id} reports to provider {name}"
                    pointer = f"/spec/{section}/{index}/providers/{number}/name"
                    what = ExtensionProvider(name)
                    yield Need(what, pointer, why, "telemetry is lost", binding=False)


def of_wasm_plugin(resource: Resource, _domain: str) -> Iterator[Need]:
    """The Secret with which a module is pulled."""
    name = text(resource.spec.get("imagePullSecret"))
    if name:
        found = ResourceId("", "Secret", resource.id.namespace, name)
        why = f"{resource.id} pulls its module with {found}"
        yield Need(Object(found), "/spec/imagePullSecret", why, "403")
