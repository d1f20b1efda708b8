"""No value of a Secret is in anything that meshplan writes."""

import base64
from typing import Any

import pytest

from meshplan.cli import main
from meshplan.cli.check import FORMATS
from meshplan.report import REPORTS
from support.manifests import BASE, HEAD

OLD, NEW = "0ld-hunter2-value", "n3w-hunter2-value"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def secret(value: str, name: str = "password") -> str:
    applied = (
        '{"apiVersion":"v1","kind":"Secret","stringData":{"last":"' + value + '-applied"},'
        '"data":{"last":"' + encoded(value) + '"}}'
    )
    return f"""\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  namespace: shop
  labels: {{team: shop}}
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{applied}'
    note: {value}-note
data:
  key: {encoded(value)}
  {"old" if value == OLD else "new"}: {encoded(value)}
stringData:
  text: {value}
  lines: |
    -----BEGIN-----
    {value}
"""


def listed(value: str) -> str:
    body = "\n".join(f"    {row}" if row else row for row in secret(value, "inlist").splitlines())
    return f"apiVersion: v1\nkind: List\nitems:\n  - {body.strip()}\n"


def wrong(value: str) -> str:
    """Secrets that a check may have something to say about."""
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: odd, namespace: shop}}\n"
        f"data: {value}\nstringData: [{value}]\ntype: [{value}]\n"
        f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: twice, namespace: shop}}\n"
        f"stringData: {{a: {value}, a: {value}}}\n"
        f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: twice, namespace: shop}}\n"
        f"stringData: {{a: {value}}}\n"
        f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: torn, namespace: shop}}\n"
        f"stringData:\n  a: {value}\n b: {value}: {value}\n"
    )


def sops(value: str) -> str:
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sealed, namespace: shop}\n"
        f"data: {{a: 'ENC[AES256_GCM,data:{value},type:str]'}}\nsops: {{mac: '{value}'}}\n"
    )


def files(value: str) -> dict[str, str]:
    return {
        "shop/secret.yaml": f"{secret(value)}---\n{secret(value, f'only-{value[:3]}')}",
        "shop/list.yaml": listed(value),
        "shop/wrong.yaml": wrong(value),
        "shop/sops.yaml": sops(value),
    }


#: Reports that list what changes by kind and name.
LISTING = ("text", "markdown", "script")


@pytest.mark.parametrize("verbose", [(), ("-v",)])
@pytest.mark.parametrize("report", [report.name for report in REPORTS])
def test_no_report_shows_a_value(
    report: str, verbose: tuple[str, ...], repo: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    made = repo(BASE | files(OLD), HEAD | files(NEW))
    main(["diff", "-C", str(made.path), "r0..r1", "-o", report, *verbose])
    out, err = capfd.readouterr()
    assert "Secret shop/password" in out or report not in LISTING
    for value in (OLD, NEW):
        for form in (value, encoded(value), value[3:-3]):
            assert form not in out
            assert form not in err


def test_the_changed_keys_are_shown(repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
    made = repo({"a.yaml": secret(OLD)}, {"a.yaml": secret(NEW)})
    main(["diff", "-C", str(made.path), "r0..r1"])
    out, _ = capfd.readouterr()
    for path in ("data.key", "data.old", "data.new", "data.text"):
        assert path in out


@pytest.mark.parametrize("report", FORMATS)
def test_a_check_shows_no_value(report: str, repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
    made = repo(BASE | files(NEW))
    main(["check", "-C", str(made.path), "-v", "-o", report])
    out, err = capfd.readouterr()
    assert "hunter2" not in out + err
    assert encoded(NEW) not in out + err


CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "chart/templates/secret.yaml": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\n"
        "stringData:\n  password: {{ .Values.password | quote }}\n"
        "data:\n  key: {{ .Values.password | b64enc }}\n"
    ),
}


def generated(value: str) -> dict[str, str]:
    """Values that become those of Secrets: of a chart, and of a generator of Kustomize."""
    return CHART | {
        "chart/values.yaml": f"password: {value}\n",
        "overlay/kustomization.yaml": (
            "namespace: shop\nsecretGenerator:\n- name: env\n  envs: [secret.env]\n"
            f"- name: text\n  literals: [key={value}]\n  options: {{annotations: {{note: {value}}}}}\n"
        ),
        "overlay/secret.env": f"PASSWORD={value}\n",
    }


@pytest.mark.tool("helm", "kubectl")
def test_nothing_that_is_generated_is_shown(repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
    made = repo(generated(OLD), generated(NEW))
    for report in REPORTS:
        main(["diff", "-C", str(made.path), "r0..r1", "-o", report.name])
        out, err = capfd.readouterr()
        assert "Secret shop/db" in out or report.name not in LISTING
        for value in (OLD, NEW):
            assert value not in out + err, report.name
            assert encoded(value) not in out + err, report.name


def test_a_finding_quotes_no_secret_value(repo: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """Of a Secret whose fields have the wrong types, and of one that is written twice."""
    for name, content in files(NEW).items():
        made = repo({"README.md": "nothing"}, {name: content})
        for report in REPORTS:
            main(["diff", "-C", str(made.path), "r0..r1", "-o", report.name])
            out, err = capfd.readouterr()
            assert "hunter2" not in out + err, (name, report.name)
