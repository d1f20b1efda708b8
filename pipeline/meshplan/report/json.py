"""The result as JSON, for other programs; `schemas/result.schema.json` describes it."""

import json
import re

from meshplan.report.layout import View
from meshplan.result import Result

_SURROGATE = re.compile("[\ud800-\udfff]")


def render(result: Result, _view: View) -> str:
    """The document."""
    text = json.dumps(result.to_json(), ensure_ascii=False, indent=2, allow_nan=False)
    return _SURROGATE.sub(_escape, text) + "\n"


def _escape(found: re.Match[str]) -> str:
    r"""A byte of a file name that is no UTF-8 reads `\xff` in the document: JSON has no bytes."""
    code = ord(found[0])
    return f"\\\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\\\u{code:04x}"
