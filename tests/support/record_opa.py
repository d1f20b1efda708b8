"""Record what OPA answers about the constructs of the language, for where it is absent.

PYTHONPATH=tests python -m support.record_opa
"""

import json
import tempfile
from pathlib import Path

from meshplan.policy.library import Pack
from support.opa import by_opa, natively, write_rules
from support.policy_cases import Cases

CASES = Path(__file__).parents[1] / "cases" / "policy"


def main() -> None:
    """Write `opa-answers.json`."""
    pack = Pack.of({"constructs.py": (CASES / "constructs.py").read_text("utf-8")})
    cases = [Cases(rule.rule, seed=5).case(12) for rule in pack.compiled]
    for case, rule in zip(cases, pack.compiled, strict=True):
        natively(case, rule)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rules(folder, pack.rules)
        answers = by_opa(folder, cases)
    recorded = [
        {
            "rule": case.rule.id,
            "seed": case.seed,
            "words": case.words,
            "parameters": case.parameters,
            "objects": {"|".join(key): value for key, value in case.objects.items()},
            "subjects": [{"old": old, "new": new} for old, new in case.subjects],
            "answers": found,
        }
        for case, found in zip(cases, answers, strict=True)
    ]
    lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in recorded)
    (CASES / "opa-answers.json").write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
