"""Rules and waivers of a repository are read from its files, and faults have places."""

from typing import Any

import pytest

from meshplan.errors import SettingsError
from meshplan.settings import RuleSettings, WaiverSettings
from meshplan.source.files import Contents
from meshplan.source.policies import changed_policies, revision_waivers, rule_texts

WAIVERS = """\
- rule: IMG-001
  resource: Deployment/shop/web
  reason: the vendor has no digest yet
  owner: team-shop
  expires: 2026-03-01
- rule: MESH-*
  resource: VirtualService/*/*
  path: spec.http[0]
  reason: migration
  owner: team-mesh
  expires: "2026-04-01"
"""
PATH = WaiverSettings().path


def revision(**files: str) -> Contents:
    return Contents("r", {name.replace("__", "/"): text.encode() for name, text in files.items()})


def with_waivers(text: str) -> Contents:
    return Contents("r", {PATH: text.encode()})


def test_waivers_have_their_places() -> None:
    one, other = revision_waivers(with_waivers(WAIVERS), WaiverSettings())
    assert (one.rule, one.expires, str(one.source)) == ("IMG-001", "2026-03-01", f"{PATH}:1:3")
    assert (other.path, other.expires, str(other.source)) == (
        "spec.http[0]",
        "2026-04-01",
        f"{PATH}:6:3",
    )


@pytest.mark.parametrize("text", ["", "# none yet\n", "[]\n"])
def test_a_file_without_waivers_holds_none(text: str) -> None:
    assert revision_waivers(with_waivers(text), WaiverSettings()) == ()
    assert revision_waivers(revision(), WaiverSettings()) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WAIVERS.replace("2026-03-01", "2026-13-01"), f"{PATH}:5:12: 0.expires: "),
        (WAIVERS.replace("2026-03-01", "2026-02-30"), f"{PATH}:5:12: 0.expires: there is no day"),
        (WAIVERS.replace("owner: team-shop", "ovner: x"), f"{PATH}:4:10: unknown key"),
        ("rule: IMG-001\n", PATH),
        ("- [", PATH),
        (f"{WAIVERS}---\n[]\n", f"{PATH}:13: a second document"),
    ],
)
def test_faults_in_waivers_have_places(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        revision_waivers(with_waivers(text), WaiverSettings())
    assert said in str(caught.value)


def test_rules_are_the_python_files_at_the_paths_of_the_settings() -> None:
    found = revision(rules__a__b="x", rules__README="x", other="x")
    files = {"rules/a/x.py": b"1", "rules/y.py": b"2", "rules/README.md": b"3", "z.py": b"4"}
    found = Contents("r", files)

    def paths(*wanted: str) -> list[str]:
        return [text.path for text in rule_texts(found, RuleSettings(paths=wanted))]

    assert paths() == []
    assert paths("rules") == ["rules/a/x.py", "rules/y.py"]
    assert paths("rules/y.py", "z.py") == ["rules/y.py", "z.py"]
    assert paths("rules/*/x.py") == ["rules/a/x.py"]
    with pytest.raises(SettingsError, match=r"no rule is at nowhere in r"):
        paths("rules", "nowhere")


def test_changes_of_rules_and_waivers_are_told() -> None:
    settings = RuleSettings(paths=("rules",))
    base = Contents("base", {"rules/a.py": b"1", "rules/b.py": b"2", PATH: WAIVERS.encode()})
    longer = WAIVERS.replace("2026-03-01", "2026-05-01")
    files: dict[str, Any] = {"rules/a.py": b"3", "rules/c.py": b"4", PATH: longer.encode()}
    found = changed_policies(base, Contents("head", files), settings)
    assert [(f.rule, str(f.locations[0]), str(f.locations[0].side)) for f in found] == [
        ("rules-changed", "rules/a.py", "head"),
        ("rules-changed", "rules/b.py", "base"),
        ("rules-changed", "rules/c.py", "head"),
        ("waiver-asked", f"{PATH}:1:3", "head"),
    ]
    assert changed_policies(base, base, settings) == ()


def test_a_fault_in_the_waivers_of_the_head_is_found_before_it_is_merged() -> None:
    (found,) = changed_policies(revision(), with_waivers("- rule: x\n"), RuleSettings())[:1]
    assert found.rule == "waivers"
