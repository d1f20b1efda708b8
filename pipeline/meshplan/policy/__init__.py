"""Rules: Python that is parsed, checked and compiled, and never run.

Rules import the words of their language from here. Only editors and type checkers look at them
(`__init__.pyi`, written by stubs.py), so that this module has to stay empty: the compiler is in
the modules beside it.
"""
