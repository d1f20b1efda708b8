"""Istio's kinds, for editors and type checkers: rules are compiled, and import nothing."""
