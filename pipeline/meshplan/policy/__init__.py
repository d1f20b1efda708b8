"""Rules: Python that is parsed, checked and compiled, and never run."""
