"""Whether a value has the shape it should have: settings and results, and Istio's own kinds."""

from meshplan.schema.documents import SchemaProblem, misfits, validate
from meshplan.schema.shapes import shape_findings

__all__ = ["SchemaProblem", "misfits", "shape_findings", "validate"]
