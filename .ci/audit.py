"""Asks a vulnerability service about every locked version.

Ends with 1 if it knows of a fault, 2 if it cannot be asked.

Where the service gives no answer, that is said in a line, and the gate goes on: a build must be
possible without it.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from locked import ROOT, NotLocked, pins

FILES = ("requirements-setup.txt", "requirements.txt", "requirements-dev.txt")
WITHIN_S = 60
"""How long all of it may take."""
ANSWER_S = 10
"""How long one answer may take."""
TOGETHER = 35
"""How many versions one run asks about, one after another; the runs go on beside each other."""
SHOWN = 5
OUT_OF_REACH = re.compile(
    r"(?m)^(?:requests\.exceptions\.(\w+)|[\w.]+\.(ServiceError)|.*(vulnerability feed))"
)
"""How pip-audit ends when the service is not there, or answers with something else than it
should."""

ACCEPTED: Mapping[str, str] = {}
"""Vulnerabilities that are known and accepted: an id of each, and the reason, which says when to
look again."""

Pinned = tuple[str, str]


class NoAnswer(Exception):
    """The service did not answer; the message says how it went."""


class Broken(Exception):
    """It could not even be asked; the message is the tool's own."""


@dataclass
class Report:
    """What the service knows, a line for each vulnerability.

    And the packages that it does not know.
    """

    known: list[str] = field(default_factory=list[str])
    accepted: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])

    def take(self, answer: Mapping[str, Any]) -> None:
        """Add what pip-audit reports, in its JSON."""
        for package in answer["dependencies"]:
            if "skip_reason" in package:
                self.unknown.append(package["name"])
            for found in package.get("vulns", ()):
                self._take(found, named=f"{package['name']} {package['version']}")

    def _take(self, found: Mapping[str, Any], *, named: str) -> None:
        ids = [found["id"], *sorted(found.get("aliases", ()))]
        fixed = (
            f"fixed in {', '.join(found['fix_versions'])}"
            if found["fix_versions"]
            else "not fixed yet"
        )
        line = f"{named}: {ids[0]}{''.join(f' ({alias})' for alias in ids[1:])}, {fixed}"
        reason = next((ACCEPTED[id_] for id_ in ids if id_ in ACCEPTED), None)
        if reason is None:
            self.known.append(line)
        else:
            self.accepted.append(f"{line}; accepted: {reason}")


def say(sentence: str) -> None:
    """Tell the person at the terminal."""
    print(f"audit: {sentence}", flush=True)


def runs(pinned: Iterable[Pinned]) -> list[dict[str, str]]:
    """Divide versions into runs without a package twice.

    A lock for several Pythons may, and pip-audit refuses that.
    """
    made: list[dict[str, str]] = []
    for name, version in sorted(set(pinned)):
        free = next((run for run in made if name not in run and len(run) < TOGETHER), None)
        if free is None:
            free = {}
            made.append(free)
        free[name] = version
    return made


def ask(run: Mapping[str, str], *, options: Sequence[str], within_s: float) -> Mapping[str, Any]:
    """Return what pip-audit reports on these versions, as they stand.

    Nothing is resolved or installed.
    """
    with tempfile.NamedTemporaryFile("w", prefix="plek-audit-", suffix=".txt") as file:
        file.writelines(f"{name}=={version}\n" for name, version in run.items())
        file.flush()
        how = (
            "--no-deps",
            "--disable-pip",
            "--format=json",
            "--progress-spinner=off",
            f"--timeout={ANSWER_S}",
        )
        command = [sys.executable, "-m", "pip_audit", *how, *options, "-r", file.name]
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=within_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise NoAnswer("time is up") from None
    try:
        return json.loads(done.stdout)
    except ValueError:
        if how_it_went := OUT_OF_REACH.findall(done.stderr):
            raise NoAnswer("".join(how_it_went[-1])) from None
        raise Broken(f"pip-audit did not work:\n{done.stderr}") from None


def examine(files: Sequence[Path], *, options: Sequence[str], within_s: float) -> bool:
    """Ask about everything that the files pin, and say what came out.

    Return whether a vulnerability is known.
    """
    pinned = {(pin.name, pin.version) for file in files for pin in pins(file)}
    report = Report()
    parts = runs(pinned)
    with ThreadPoolExecutor(len(parts) or 1) as beside:
        asked = [beside.submit(ask, part, options=options, within_s=within_s) for part in parts]
    silence = None
    for answer in asked:
        try:
            report.take(answer.result())
        except NoAnswer as how:
            silence = how
    if silence is None:
        tell(report, asked=len(pinned))
    else:
        say(f"the vulnerability service gave no answer ({silence}): not everything was audited")
    for line in (*report.accepted, *report.known):
        say(line)
    return bool(report.known)


def tell(report: Report, *, asked: int) -> None:
    """Say how far the service's knowledge goes.

    What it does not know is not thereby without fault.
    """
    if report.unknown:
        shown = ", ".join(report.unknown[:SHOWN]) + (
            " and others" if len(report.unknown) > SHOWN else ""
        )
        say(
            f"the vulnerability service knows nothing of {len(report.unknown)} of {asked} "
            f"locked versions ({shown})"
        )
    answered = asked - len(report.unknown)
    if answered and not report.known:
        say(f"no vulnerability is known in the {answered} locked versions that the service knows")


def main() -> int:
    """Read what is asked for; return the exit code."""
    asked = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    asked.add_argument("--service", default="pypi", help="as pip-audit has them: pypi, osv")
    asked.add_argument("--osv-url", help="another place of the service osv")
    asked.add_argument("files", nargs="*", type=Path, default=[ROOT / name for name in FILES])
    asked.add_argument("--within", type=float, default=WITHIN_S, metavar="SECONDS")
    given = asked.parse_args()
    options = (
        f"--vulnerability-service={given.service}",
        *((f"--osv-url={given.osv_url}",) if given.osv_url else ()),
    )
    try:
        return int(examine(given.files, options=options, within_s=given.within))
    except (Broken, NotLocked, OSError) as fault:
        say(str(fault))
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
