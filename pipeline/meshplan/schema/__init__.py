"""Whether a value has the shape it should have: settings and results, and Istio's own kinds."""

from meshplan.schema.documents import SchemaProblem, validate

__all__ = ["SchemaProblem", "validate"]
