"""Rules as Rego v1, for OPA, conftest and Gatekeeper."""

from pathlib import Path

from meshplan.policy.rego.module import inventory_entry, rule_module

__all__ = ["inventory_entry", "library", "rule_module"]


def library() -> dict[str, str]:
    """What every compiled rule needs: the text of each file by its name.

    Gatekeeper gets `runtime.rego` alone: the others read data that it does not have.
    """
    folder = Path(__file__).parent
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.rego"))}
