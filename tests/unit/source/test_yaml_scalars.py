"""Scalars and keys mean what kubectl says they mean; its answers are recorded."""

import json
from pathlib import Path
from typing import Any

import pytest

from meshplan.finding import Severity
from meshplan.source.scalars import ScalarError, key, replaced, resolve, tagged
from meshplan.source.yaml import parse
from support.kubectl import comparable

#: What kubectl 1.32 printed for each value; the parity test asks the kubectl at hand.
RECORDED = Path(__file__).parents[2] / "parity" / "yaml_scalars.tsv"


@pytest.mark.parametrize("line", RECORDED.read_text("utf-8").splitlines())
def test_a_value_is_what_kubectl_took_it_for(line: str) -> None:
    text, _, answer = line.rpartition("\t")
    parsed = parse(f"spec:\n  value: {text}\n".encode(), "a.yaml")
    if answer == "refused":
        assert parsed.documents == ()
        assert [found.severity for found in parsed.findings] == [Severity.ERROR]
    else:
        [document] = parsed.documents
        assert comparable(document.value["spec"]["value"]) == comparable(json.loads(answer))
        assert not any(found.severity is Severity.ERROR for found in parsed.findings)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        *(
            ("yes", "true"),
            ("Off", "false"),
            ("n", "false"),
            ("1", "1"),
            ("0x1F", "31"),
            ("-0", "0"),
        ),
        *(("1.50", "1.5"), ("1.0", "1"), ("0.1", "0.1"), ("-0.0", "-0"), ("123456.0", "123456")),
        *(
            ("1234567.0", "1.234567e+06"),
            ("1e10", "1e+10"),
            ("0.0001", "0.0001"),
            ("1e-5", "1e-05"),
        ),
        *(
            ("16777217.0", "1.6777216e+07"),
            ("3.4e38", "3.4e+38"),
            ("1e300", ".inf"),
            ("-1e300", "-.inf"),
        ),
        *((".inf", ".inf"), ("-.Inf", "-.inf"), (".nan", ".nan"), ("1e-60", "0"), ("a b", "a b")),
    ],
)
def test_a_key_is_written_as_go_writes_it(text: str, want: str) -> None:
    assert key(resolve(text)) == want


@pytest.mark.parametrize("text", ["~", "null", "18446744073709551615", "9223372036854775808"])
def test_a_key_that_json_cannot_have_is_refused(text: str) -> None:
    with pytest.raises(ScalarError):
        key(resolve(text))


def test_broken_characters_in_binary_are_replaced_byte_by_byte() -> None:
    assert tagged("tag:yaml.org,2002:binary", "4oI=") == "\ufffd\ufffd"
    assert replaced(b"a\xe2\x82b\xff") == "a\ufffd\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        *(("2001-01-01", True), ("2001-1-1", True), ("0000-02-29", True), ("2001-02-29", False)),
        *(
            ("2001-13-01", False),
            ("2001-01-01T1:2:3Z", True),
            ("2001-01-01t10:20:30.5+01:00", True),
        ),
        *(
            ("2001-01-01 10:20:30", True),
            ("2001-01-01 25:00:00", False),
            ("2001-01-01T10:20:30", False),
        ),
        *(("x", False), ("2001-01-01 10:20:30 -5", False), ("", False), ("20010-01-01", False)),
    ],
)
def test_a_timestamp_tag_needs_a_date(text: str, valid: bool) -> None:
    def read() -> Any:
        return tagged("tag:yaml.org,2002:timestamp", text)

    if valid:
        assert read() == text
    else:
        with pytest.raises(ScalarError):
            read()
