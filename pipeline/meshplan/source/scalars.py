"""What one YAML scalar means to Kubernetes: the rules of kubectl's YAML to JSON conversion.

kubectl reads YAML 1.1 with go-yaml v2, writes the result as JSON, and reads that again as the API
machinery does. Each step leaves traces:

- `y`, `yes`, `on`, `true` and their opposites are booleans, as values and as keys;
- integers may be binary, octal (`0o17` and `017`), hexadecimal, signed, and hold underscores;
  there is no base 60, and a timestamp stays the string it is;
- a number of integral value is an integer (`1.0` is 1), one outside int64 a double;
- `.inf` and `.nan` have no JSON form: kubectl refuses the document;
- a key becomes a string: `1.50` is `1.5`, written with the precision of a 32-bit float.
"""

import base64
import binascii
import codecs
import math
import re
import struct
from datetime import date
from decimal import Decimal

#: What a leaf of a manifest can be.
Scalar = str | int | float | bool | None

TAG = "tag:yaml.org,2002:"
MERGE_TAG = TAG + "merge"


def _replace_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - only `decode` calls it
    return "\ufffd", error.start + 1


codecs.register_error("meshplan-each-byte", _replace_byte)


class ScalarError(ValueError):
    """A scalar that kubectl refuses; the message never holds the scalar, which may be secret."""


def _spellings(*words: str) -> list[str]:
    return [spelling for word in words for spelling in (word, word.capitalize(), word.upper())]


_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(_spellings("y", "yes", "true", "on"), True),
    **dict.fromkeys(_spellings("n", "no", "false", "off"), False),
    **dict.fromkeys(["", "~", *_spellings("null")]),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], math.nan),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], math.inf),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], -math.inf),
}
_NUMERIC = frozenset("0123456789+-.")
_INTEGER = re.compile(
    r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII
)
_BASES = (16, 2, 8, 10)
#: go-yaml tries binary a second time behind the prefix, where a sign may stand.
_SIGNED_BINARY = re.compile(r"0b([-+])([01]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
#: A number that begins with a point keeps Go's own rule for underscores: between digits only.
_POINT = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?", re.ASCII)
_CLOCK = r"(?:([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?)"
_TIMESTAMPS = tuple(
    re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})" + rest, re.ASCII)
    for rest in ("", f" {_CLOCK}", f"[Tt]{_CLOCK}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})")
)
#: The name under which Python knows the error handler of `replaced`.
_EACH_BYTE = "meshplan-each-byte"
_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)


def plain(text: str) -> Scalar:
    """The value of an untagged plain scalar as JSON holds it; infinities and NaN stay floats."""
    value = resolve(text)
    return json_number(value) if type(value) in (int, float) else value  # type: ignore[arg-type]


def resolve(text: str) -> Scalar:
    """The value of an untagged plain scalar as go-yaml has it, before it becomes JSON."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if text[0] == ".":
        number = _double(text.replace("_", "")) if _POINT.fullmatch(text) else None
    else:
        number = _number(text.replace("_", ""))
    return text if number is None else number


def tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with a tag, as go-yaml has it.

    Raises ScalarError where the text is not of the tag's type. A tag that go-yaml does not know
    makes a string.
    """
    match tag.removeprefix(TAG):
        case "binary":
            return _binary(text)
        case "bool" | "int" | "float" | "null" | "timestamp" as name if tag.startswith(TAG):
            return _typed(name, text)
        case _:
            return text


def json_number(value: int | float) -> int | float:
    """The number that is left when a number of go-yaml has gone through JSON."""
    if isinstance(value, int):
        return value if value in _INT64 else float(value)
    if not value.is_integer():
        return value
    # Go writes the shortest digits that identify the double, then zeros.
    whole = int(Decimal(repr(value)))
    return whole if whole in _INT64 else value


def key(value: Scalar) -> str:
    """The JSON key that a key becomes; raises ScalarError for those that kubectl refuses."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if value in _INT64:
            return str(value)
        case float():
            return _float_key(value)
        case None:
            raise ScalarError("a key is null")
        case _:
            raise ScalarError("a key is an integer of more than 63 bits")


def _number(text: str) -> int | float | None:
    found = _INTEGER.fullmatch(text)
    if found:
        sign = -1 if found[1] == "-" else 1
        digits, base = next((d, b) for d, b in zip(found.groups()[1:], _BASES, strict=True) if d)
        value = _integer(sign, digits, base)
        # An unsigned integer may have no sign at all.
        if value is not None and (value in _INT64 or (value in _UINT64 and not found[1])):
            return value
    if _FLOAT.fullmatch(text):
        return _double(text)
    binary = _SIGNED_BINARY.fullmatch(text)
    value = _integer(-1 if binary[1] == "-" else 1, binary[2], 2) if binary else None
    return value if value is not None and value in _INT64 else None


def _integer(sign: int, digits: str, base: int) -> int | None:
    """An integer of at most 64 bits and a sign; longer ones are not worth converting."""
    digits = digits.lstrip("0") or "0"
    return sign * int(digits, base) if len(digits) <= 64 else None


def _double(text: str) -> float | None:
    value = float(text)
    return None if math.isinf(value) else value


def _typed(name: str, text: str) -> Scalar:
    """A scalar of one of the tags that go-yaml resolves, if its text resolves to that type."""
    value = resolve(text)
    match name, value:
        case "bool", bool():
            return value
        case "int", int() if not isinstance(value, bool):
            return value
        case "float", float():
            return value
        case "float", int() if not isinstance(value, bool) and value in _INT64:
            return float(value)
        case "null", None:
            return None
        case "timestamp", str() if _is_timestamp(text):
            return text
        case _:
            raise ScalarError(f"a value is tagged !!{name} and is none")


def _is_timestamp(text: str) -> bool:
    """Whether go-yaml takes the text for a date, with or without a time."""
    found = next((m for form in _TIMESTAMPS if (m := form.fullmatch(text))), None)
    if not found:
        return False
    year, month, day, *clock = (int(part) for part in found.groups())
    try:
        date(year or 4, month, day)  # Python has no year 0; it is a leap year as 4 is
    except ValueError:
        return False
    return all(part < limit for part, limit in zip(clock, (24, 60, 60), strict=False))


def _binary(text: str) -> str:
    """Base64 as Go decodes it, then as JSON holds it: bytes that are no UTF-8 are replaced."""
    try:
        data = base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ScalarError("a value is tagged !!binary and is no base64") from error
    return replaced(data)


def replaced(data: bytes) -> str:
    """UTF-8 as Go's JSON reads it: each byte that belongs to no character becomes U+FFFD."""
    return data.decode("utf-8", _EACH_BYTE)


def _float_key(value: float) -> str:
    """Go's shortest form of a float32, in %g style."""
    if math.isnan(value):
        return ".nan"
    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        single = math.copysign(math.inf, value)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    digits = next(d for p in range(9) if _single(d := f"{single:.{p}e}") == single)
    mantissa, exponent = digits.split("e")
    power = int(exponent)
    if -4 <= power < 6:
        text = f"{Decimal(digits):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{power:+03d}"


def _single(text: str) -> float:
    value: float = struct.unpack("f", struct.pack("f", float(text)))[0]
    return value
