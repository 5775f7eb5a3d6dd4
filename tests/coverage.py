"""Which lines and branches of a folder the tests ran, in all processes of a run."""

import json
import os
from collections.abc import Generator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from slipcover import merge_coverage, print_coverage
from slipcover.slipcover import add_summaries

from tests.probes import FOLDER, PROBES


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what is measured, and how much of it must have run."""
    group = parser.getgroup("plek")
    group.addoption("--cover", metavar="FOLDER", help="Measure what runs there; takes -n.")
    group.addoption(
        "--cover-least", type=float, metavar="PERCENT", help="Fail if less of it than that ran."
    )
    group.addoption(
        "--cover-whole", metavar="FOLDER", help="Fail unless each line and branch there ran."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have the workers measure, and hear what each has seen."""
    folder = config.getoption("--cover")
    if folder and not hasattr(config, "workerinput"):
        os.environ[FOLDER] = folder
        config.pluginmanager.register(Coverage(config), Coverage.name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell what ran in this worker."""
    if PROBES is not None:
        session.config.workeroutput["covered"] = json.dumps(PROBES.get_coverage())  # pyright: ignore[reportAttributeAccessIssue] - xdist's


class Coverage:
    """What ran in any worker."""

    name = "plek-coverage"

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.found: dict[str, Any] = {}

    def pytest_testnodedown(self, node: Any) -> None:
        """Add what ran in one."""
        more = json.loads(getattr(node, "workeroutput", {}).get("covered", "{}"))
        self.found = merge_coverage(self.found, more) if self.found and more else more or self.found

    def pytest_unconfigure(self) -> None:
        """Have nothing measured that another run starts."""
        os.environ.pop(FOLDER, None)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what did not run, file by file."""
        terminalreporter.section("covered")
        terminalreporter.write_line(table(self.found))

    def faults(self) -> Generator[str]:
        """What ran too little."""
        least, whole = (self.config.getoption(one) for one in ("--cover-least", "--cover-whole"))
        percent = self.found.get("summary", {}).get("percent_covered", 0)
        if least is not None and percent < least:
            yield f"{percent:.2f} % is covered, and {least:g} % must be"
        if whole is not None:
            files = self.found.get("files", {})
            there = {name: one for name, one in files.items() if Path(name).is_relative_to(whole)}
            if not all(one["summary"]["percent_covered"] == 100 for one in there.values()):
                part = {"meta": self.found["meta"], "files": there}
                add_summaries(part)
                yield f"{whole} is not covered whole:\n{table(part)}"
            elif not there:
                yield f"{whole} has nothing that was measured"


def table(found: dict[str, Any]) -> str:
    """Return what did not run, a line for each file that has such."""
    lines = StringIO()
    print_coverage(found, outfile=lines, skip_covered=True)
    return lines.getvalue()
