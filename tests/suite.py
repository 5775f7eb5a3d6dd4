"""What the suite asks of itself.

No test takes long, none is skipped unseen, and what must be covered is.
"""

import math
import os
import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from typing import Any

import pytest

from tests.coverage import Coverage

SLOWEST = 10
BUSY = 1
"""As many processes for each core run without waiting; with more, a test may take as much longer as
there are more."""
SKIPPED_WHOLE: Mapping[str, str] = {
    "tests/faults/test_pooling.py": "needs PgBouncer, which .ci/run installs where it is root on Debian, and can",
}
"""Modules that may be skipped as a whole where CI is set, and why; no other may be."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make test` asks for."""
    group = parser.getgroup("plek")
    group.addoption(
        "--at-most", type=float, metavar="SECONDS", help="Fail if one test takes longer."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Measure where tests run, and judge where their reports come together."""
    config.pluginmanager.register(Clock(config), "plek-clock")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Suite(config), "plek-suite")


def held_up() -> float:
    """Return how many times as long everything takes on this machine, busy as it is."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / BUSY)


class Clock:
    """Measures each test, and beside it each fixture that others use as well.

    That is not the first test's own.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._elsewhere: dict[str, Any] | None = getattr(config, "workeroutput", None)
        """What the process hears that all reports come to, where this is not it."""
        self.took: dict[str, float] = {}
        self._inner: list[float] = []
        """How long other shared fixtures took within the one at work, for each that is."""
        self._total = 0.0
        self._most: float | None = config.getoption("--at-most")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        """Measure a fixture."""
        if fixturedef.scope == "function":
            return (yield)
        self._inner.append(0.0)
        began = time.perf_counter()
        try:
            return (yield)
        finally:
            whole = time.perf_counter() - began
            self.took[
                f"{fixturedef.baseid}: {fixturedef.argname}, for every {fixturedef.scope}"
            ] = whole - self._inner.pop()
            if self._inner:
                self._inner[-1] += whole

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what was measured into the last report of a test."""
        report = yield
        if call.when == "setup":
            self._total = 0.0
        self._total += call.duration
        if call.when == "teardown":
            self.took[item.nodeid] = self._total - sum(self.took.values())
            most = math.inf if self._most is None else self._most * held_up()
            late = [what for what, seconds in self.took.items() if seconds > most]
            vars(report).update(
                took=self.took, late=late
            )  # these go with it from process to process
            self.took = {}
        return report

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Tell of a module that skips itself."""
        if report.skipped and self._elsewhere is not None:
            self._elsewhere.setdefault("skipped", []).append(report.nodeid)


class Suite:
    """Judges the run as a whole."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.took: dict[str, float] = defaultdict(float)
        self.late: set[str] = set()
        self.ran: set[str] = set()
        self.skipped: set[str] = set()
        self.faults: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test took, and whether it ran."""
        for what, seconds in getattr(report, "took", {}).items():
            self.took[what] = max(self.took[what], seconds)
        self.late.update(getattr(report, "late", ()))
        module = report.nodeid.partition("::")[0]
        if report.skipped:
            self.skipped.add(module)
        elif report.when == "call":
            self.ran.add(module)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that skips itself."""
        if report.skipped:
            self.skipped.add(report.nodeid)

    def pytest_testnodedown(self, node: Any) -> None:
        """Note what a worker of this run has collected and skipped."""
        self.skipped.update(getattr(node, "workeroutput", {}).get("skipped", ()))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Fail the session for what no single test fails for, once everything has run."""
        done = yield
        coverage: Coverage | None = self.config.pluginmanager.get_plugin(Coverage.name)
        self.faults = [*self._slow(), *self._unseen(), *(coverage.faults() if coverage else ())]
        session.testsfailed += len(self.faults)
        return done

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what took longest, and what is wrong with the run."""
        slowest = sorted(self.took.items(), key=lambda one: -one[1])[:SLOWEST]
        if not slowest:
            return
        terminalreporter.section(f"the {len(slowest)} slowest")
        for what, seconds in slowest:
            terminalreporter.write_line(f"{seconds:7.2f} s  {what}")
        if self.faults:
            terminalreporter.section("wrong with the run as a whole", red=True)
            for fault in self.faults:
                terminalreporter.write_line(fault, red=True)

    def _slow(self) -> Generator[str]:
        most = self.config.getoption("--at-most")
        for what in sorted(self.late):
            yield f"{what} took {self.took[what]:.1f} s, and no test may take over {most:g} s"

    def _unseen(self) -> Generator[str]:
        if os.environ.get("CI"):
            for module in sorted(self.skipped - self.ran - SKIPPED_WHOLE.keys()):
                yield f"{module} was skipped as a whole, and tests/suite.py names no reason"
