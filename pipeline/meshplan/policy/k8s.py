"""Kubernetes' own kinds, for editors and type checkers: rules are compiled, and import nothing."""
