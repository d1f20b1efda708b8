"""URLs of one repository in all their spellings, and names that are looked up nearby."""

import pytest

from meshplan.resource import Document, Origin
from meshplan.source.repository import Known, normalized


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Acme/Fleet",
        "https://github.com/acme/fleet.git",
        "https://github.com/acme/fleet/",
        "https://token@github.com/acme/fleet",
        "https://user:password@github.com/acme/fleet.git",
        "ssh://git@github.com/acme/fleet",
        "ssh://git@github.com:22/acme/fleet.git",
        "git@github.com:acme/fleet.git",
        "github.com:acme/fleet",
    ],
)
def test_one_repository_has_many_urls(url: str) -> None:
    assert normalized(url) == "github.com/acme/fleet"


@pytest.mark.parametrize(
    "url", ["https://gitlab.com/acme/fleet", "git@github.com:acme/fleet-infra", "/srv/git/fleet"]
)
def test_other_repositories_are_others(url: str) -> None:
    assert normalized(url) != "github.com/acme/fleet"


def config_map(path: str, namespace: str | None) -> Document:
    """A ConfigMap named `settings` that tells its path."""
    metadata = {"name": "settings", **({"namespace": namespace} if namespace else {})}
    data = {"path": path}
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    return Document(value, Origin(path))


def test_the_nearest_object_of_a_name_is_the_one() -> None:
    known = Known()
    for path, where in (("a/dev/s.yaml", "flux"), ("a/prod/s.yaml", "flux"), ("a/x/s.yaml", None)):
        known.note(config_map(path, where))
    found = [known.config_map("flux", "settings", (near,)) for near in ("a/dev", "a/prod/b", "a/x")]
    assert found == [{"path": path} for path in ("a/dev/s.yaml", "a/prod/s.yaml", "a/x/s.yaml")]
    assert known.config_map("other", "settings", ("a/dev",)) == {"path": "a/x/s.yaml"}
    assert known.config_map("flux", "gone", ("a",)) is None
