"""SARIF, against what the standard says of the properties that we write."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from jsonschema import Draft7Validator

from meshplan.diff import ChangeSet, Update
from meshplan.finding import Fix, Status, Waiver
from meshplan.location import Location, Role
from meshplan.report import View, rules, sarif
from meshplan.result import Result
from support.results import example, finding, hostile, resource, result, target

#: SARIF 2.1.0 (OASIS, 27 March 2020): of each object that we write, which properties there may be
#: and which there have to be. Written from the text of the standard, sections 3.13 to 3.57.
TEXT = {"type": "string", "minLength": 1}
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": TEXT}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def closed(required: str, **properties: Any) -> dict[str, Any]:
    """An object with no other properties than these."""
    kind = {"type": "object", "properties": properties, "additionalProperties": False}
    return kind | {"required": required.split()}


def many(item: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": item} | more


COUNT = {"type": "integer", "minimum": 1}
REGION = closed("startLine", startLine=COUNT, startColumn=COUNT, endLine=COUNT, endColumn=COUNT)
ARTIFACT = closed(
    "uri",
    uri={"type": "string", "pattern": r"^[A-Za-z0-9._~!$&'()*+,;=@%/-]*$"},
    uriBaseId=TEXT,
)
LOCATION = closed(
    "physicalLocation",
    id={"type": "integer", "minimum": 0},
    physicalLocation=closed("artifactLocation", artifactLocation=ARTIFACT, region=REGION),
    logicalLocations=many(closed("", fullyQualifiedName=TEXT, kind=TEXT)),
    message=MESSAGE,
)
CHANGE = closed(
    "artifactLocation replacements",
    artifactLocation=ARTIFACT,
    replacements=many(
        closed(
            "deletedRegion",
            deletedRegion=REGION,
            insertedContent=closed("", text={"type": "string"}),
        ),
        minItems=1,
    ),
)
RESULT = closed(
    "message ruleId",
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=MESSAGE,
    locations=many(LOCATION),
    relatedLocations=many(LOCATION, uniqueItems=True),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    baselineState={"enum": ["new", "unchanged", "updated", "absent"]},
    suppressions=many(closed("kind", kind={"enum": ["inSource", "external"]}, justification=TEXT)),
    fixes=many(
        closed("artifactChanges", description=MESSAGE, artifactChanges=many(CHANGE, minItems=1))
    ),
    properties={"type": "object"},
)
RULE = closed(
    "id",
    id=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    helpUri={"type": "string", "pattern": "^https://"},
    defaultConfiguration=closed("", level=LEVEL),
    properties=closed("", tags=many(TEXT, uniqueItems=True, maxItems=10)),
)
NOTE = closed("message", level=LEVEL, message=MESSAGE)
RUN = closed(
    "tool",
    tool=closed(
        "driver",
        driver=closed(
            "name",
            name=TEXT,
            version=TEXT,
            semanticVersion=TEXT,
            rules=many(RULE, uniqueItems=True),
        ),
    ),
    invocations=many(
        closed(
            "executionSuccessful",
            executionSuccessful={"type": "boolean"},
            exitCode={"type": "integer"},
            toolExecutionNotifications=many(NOTE),
        )
    ),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=many(RESULT),
)
LOG = closed(
    "version runs",
    **{"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": many(RUN, maxItems=20)},
)


def run_of(made: Result) -> Any:
    log = json.loads(sarif.render(made, View()))
    Draft7Validator(LOG).validate(log)
    return log["runs"][0]


MADE = [
    example(),
    result(),
    result(target(), base=None),
    *(hostile(text) for text in ("\udcff", "a\x00b", "\ufffe", "{0}[a](b)", "é😀 %#?", "@`<\n")),
]


@pytest.mark.parametrize("made", MADE)
def test_it_is_what_the_standard_says(made: Result) -> None:
    run_of(made)


@pytest.mark.skipif(
    "SARIF_SCHEMA" not in os.environ, reason="SARIF_SCHEMA does not name the schema of OASIS"
)
@pytest.mark.parametrize("made", MADE)
def test_the_official_schema_agrees(made: Result) -> None:
    schema = json.loads(Path(os.environ["SARIF_SCHEMA"]).read_text("utf-8"))
    Draft7Validator(schema).validate(json.loads(sarif.render(made, View())))


def test_every_rule_is_listed_once_whatever_was_found() -> None:
    listed = [rule["id"] for rule in run_of(result())["tool"]["driver"]["rules"]]
    assert listed == sorted(set(listed))
    assert {"REF-001", "yaml-syntax", "deployer-unsafe"} <= set(listed)


def test_every_file_of_the_pack_has_its_rules(root: Path) -> None:
    listed = {rule.id for rule in rules.all_rules()}
    for path in (root / "policies").glob("*.py"):
        decorated = [row for row in path.read_text("utf-8").splitlines() if row.startswith("@")]
        assert decorated, path
        for row in decorated:
            assert row.split('"')[1] in listed, path


def test_results_name_their_rules() -> None:
    for made in MADE:
        run = run_of(made)
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert all(ids[found["ruleIndex"]] == found["ruleId"] for found in run["results"])


def test_what_is_fixed_is_no_alert_any_more() -> None:
    texts = [found["message"]["text"] for found in run_of(example())["results"]]
    assert not any("no longer so" in text for text in texts)
    states = {
        found["message"]["text"]: found["baselineState"] for found in run_of(example())["results"]
    }
    assert states["no such gateway. name one that exists"] == "new"
    assert states["an old story. name one that exists"] == "unchanged"


def test_fingerprints_do_not_depend_on_lines() -> None:
    prints = []
    for line in (3, 30):
        place = Location("shop/reviews.yaml", line, 5, line, 9, "/spec/gateways/0")
        [found] = run_of(result(target(), findings=(finding("x", locations=(place,)),)))["results"]
        prints.append(found["partialFingerprints"])
    assert prints[0] == prints[1] != {}


def test_related_places_say_where_they_are() -> None:
    places = (
        Location("a b/ü#.yaml", 3, 5, 3, 9),
        Location("other.yaml", 7, role=Role.RELATED),
    )
    [found] = run_of(result(target(), findings=(finding("x", locations=places),)))["results"]
    [main], [related] = found["locations"], found["relatedLocations"]
    assert unquote(main["physicalLocation"]["artifactLocation"]["uri"]) == "a b/ü#.yaml"
    assert related["physicalLocation"]["region"] == {"startLine": 7}
    assert related["message"]["text"] == "other.yaml:7"


def fixed(pointer: str, *, column: int | None = 12, via: str = "") -> list[Any]:
    now = resource(spec={"hosts": ["reviews"], "gateways": ["edge"]}, via=via)
    made = target(changes=ChangeSet((Update(now, now, ()),)))
    place = Location("shop/reviews.yaml", 7, column, 7, column and column + 4, pointer)
    told = finding("x", locations=(place,), fix=Fix(pointer, "mesh"))
    [found] = run_of(result(made, findings=(told,)))["results"]
    return list(found.get("fixes", ()))


def test_a_fix_replaces_the_value_at_its_place() -> None:
    [fix] = fixed("/spec/gateways/0")
    [change] = fix["artifactChanges"]
    [replacement] = change["replacements"]
    assert replacement["deletedRegion"]["startColumn"] == 12
    assert replacement["insertedContent"] == {"text": "mesh"}


def test_there_is_no_fix_where_another_value_would_be_replaced() -> None:
    assert fixed("/spec/exportTo/0") == []  # it is not there: the place is that of `spec`
    assert fixed("/spec/hosts") == []  # a list
    assert fixed("/spec/gateways/0", column=None) == []
    assert fixed("/spec/gateways/0", via="kustomize overlays/prod") == []


def test_a_waived_finding_is_suppressed() -> None:
    waiver = Waiver("no-gateway", "*", "legacy", "team-a", "2027-01-31")
    [found] = run_of(result(target(), findings=(finding("x", waiver=waiver),)))["results"]
    assert found["suppressions"][0]["justification"] == "legacy (until 2027-01-31)"


def test_no_more_results_than_github_takes() -> None:
    found = tuple(finding(str(number), Status.NEW) for number in range(sarif.MAX_RESULTS + 3))
    run = json.loads(sarif.render(result(target(), findings=found), View()))["runs"][0]
    assert len(run["results"]) == sarif.MAX_RESULTS
    [note] = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("3 results are left out")
