"""The table of order-bench, which lies outside of what is installed."""

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[2] / "bench" / "order" / "table.py"
_spec = importlib.util.spec_from_file_location("order_table", _PATH)
assert _spec is not None
assert _spec.loader is not None
table = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = table
_spec.loader.exec_module(table)
