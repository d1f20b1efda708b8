"""From changes and the edges between them to waves: expand, flip, contract."""

from meshplan.planner.order import order

__all__ = ["order"]
