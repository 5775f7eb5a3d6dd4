"""The suite fails for a slow test, a skipped module, and an uncovered branch."""

from pathlib import Path

import pytest

from tests import forks

QUICK = "def test_quick() -> None:\n    pass\n"
SLOW = "import time\n\n\ndef test_slow() -> None:\n    time.sleep(0.5)\n"
SHARED = """
import time

import pytest


@pytest.fixture(scope="session")
def inner():
    time.sleep(0.5)


@pytest.fixture(scope="module")
def outer(inner):
    pass


@pytest.fixture
def own():
    time.sleep({own})


def test_first(outer, own) -> None:
    pass
"""
SKIPPED = """
import pytest

pytestmark = pytest.mark.skip(reason="no such program")


def test_a() -> None:
    pass
"""
SKIPS_ITSELF = """
import pytest

pytest.skip("no such program", allow_module_level=True)
"""
SKIPS_ONE = f"{SKIPPED.replace('pytestmark =', 'here =')}\n{QUICK}".replace(
    "def test_a", "@here\ndef test_a"
)
BRANCHES = "def least(a, b):\n    if a < b:\n        return a\n    return b\n"
USES_ONE = (
    "from counted.least import least\n\n\ndef test_least() -> None:\n    assert least(1, 2) == 1\n"
)
USES_BOTH = f"{USES_ONE}    assert least(2, 1) == 1\n"


def ran(folder: Path, *words: str, fails: bool, load: int = 0, **environment: str) -> list[str]:
    """Run a folder's tests under these rules on a machine so busy; return what it said."""
    (folder / "conftest.py").write_text(f"import os\n\nos.getloadavg = lambda: ({load}, 0, 0)\n")
    command = (
        "-m",
        "pytest",
        "-ra",
        "-p",
        "tests.coverage",
        "-p",
        "tests.suite",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        *words,
    )
    done = forks.run(
        command,
        cwd=folder,
        env={"PATH": "", "PYTHONPATH": str(forks.ROOT)} | environment,
        timeout=200,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == int(fails), done.stdout + done.stderr
    assert " in " in lines[-1]
    return lines


def faults(said: list[str]) -> list[str]:
    """Return what was wrong with a run as a whole, without the seconds."""
    begins = next(
        (at for at, line in enumerate(said) if "wrong with the run as a whole" in line), len(said)
    )
    told = [line.partition(" took ")[0] for line in said[begins + 1 :]]
    return [line for line in told if line.startswith(("test_", "counted ", "conftest"))]


def test_a_test_that_takes_too_long_fails_the_run_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(SLOW + QUICK)
    said = ran(tmp_path, "--at-most", "0.4", fails=True)
    assert faults(said) == ["test_one.py::test_slow"]
    assert any(line.endswith(" s  test_one.py::test_slow") for line in said)
    ran(tmp_path, "--at-most", "30", fails=False)
    ran(tmp_path, "--at-most", "0.4", load=1000, fails=False)  # it is not the test's fault then


def test_what_others_use_as_well_is_not_the_first_tests_own(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(SHARED.format(own=0))
    assert faults(ran(tmp_path, "--at-most", "0.4", fails=True)) == [
        "test_one.py: inner, for every session"
    ]
    (tmp_path / "test_one.py").write_text(SHARED.format(own=0.5))
    said = ran(tmp_path, "--at-most", "0.4", fails=True)
    assert faults(said) == ["test_one.py: inner, for every session", "test_one.py::test_first"]


@pytest.mark.parametrize("module", [SKIPPED, SKIPS_ITSELF], ids=["marked", "itself"])
def test_a_module_that_is_skipped_as_a_whole_fails_continuous_integration(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / "test_one.py").write_text(module)
    (tmp_path / "test_two.py").write_text(SKIPS_ONE)
    said = ran(tmp_path, fails=True, CI="true")
    assert faults(said) == [
        "test_one.py was skipped as a whole, and tests/suite.py names no reason"
    ]
    assert (
        len(
            [
                line
                for line in said
                if line.startswith("SKIPPED ") and line.endswith("no such program")
            ]
        )
        == 2
    )
    ran(tmp_path, fails=False)


def counted(folder: Path, test: str) -> tuple[str, ...]:
    """Write a program and a test of it; return how to ask that all of it is covered."""
    (folder / "counted").mkdir(exist_ok=True)
    (folder / "counted" / "least.py").write_text(BRANCHES)
    (folder / "test_counted.py").write_text(test)
    return ("-n", "1", "--cover", "counted", "--cover-whole", "counted", "--cover-least", "75")


def test_a_branch_that_nothing_ran_fails_where_all_must_be_covered(tmp_path: Path) -> None:
    said = ran(tmp_path, *counted(tmp_path, USES_ONE), fails=True)
    assert faults(said) == ["counted is not covered whole:"]
    assert any(line.startswith("counted/least.py ") and line.endswith(" 4") for line in said)
    ran(tmp_path, *counted(tmp_path, USES_BOTH), fails=False)


def test_all_of_it_is_found_where_several_processes_test(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(SLOW + QUICK)
    (tmp_path / "test_two.py").write_text(SKIPS_ITSELF)
    (tmp_path / "test_three.py").write_text(SKIPPED)
    said = ran(
        tmp_path, *counted(tmp_path, USES_ONE), "-n", "2", "--at-most", "0.4", fails=True, CI="true"
    )
    assert sorted(line.split()[0] for line in faults(said)) == [
        "counted",
        "test_one.py::test_slow",
        "test_three.py",
        "test_two.py",
    ]
