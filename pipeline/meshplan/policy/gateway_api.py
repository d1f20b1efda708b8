"""The kinds of the Gateway API, for editors and type checkers: rules are compiled, and import nothing."""
