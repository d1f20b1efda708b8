"""What tests share; on the import path through `pythonpath` in pyproject.toml."""
