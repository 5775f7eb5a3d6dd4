"""Runs the steps of the gate beside each other, and says of each how it ended.

Fails if one of them does.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
OURS = ("app", "migrations", "benchmarks", ".ci")
QUICK: Mapping[str, Sequence[str]] = {
    "style": ("ruff", "check", "."),
    "form": ("ruff", "format", "--check", "."),
    "sizes": ("python", ".ci/sizes.py"),
    "prose": ("python", ".ci/prose.py"),
    "templates": ("djlint", "--check", "--lint", "app"),
}
"""What pre-commit runs as well."""
AUDIT: Mapping[str, Sequence[str]] = {
    "vulnerabilities": ("python", ".ci/audit.py"),
    "suspect code": (
        "bandit",
        "-q",
        "-c",
        "pyproject.toml",
        "--confidence-level",
        "medium",
        "-r",
        *OURS,
    ),
}
WHOLE: Mapping[str, Sequence[str]] = {
    "types": ("basedpyright", "--pythonpath", str(BIN / "python")),
    "migrations": ("python", ".ci/migrations.py"),
    **AUDIT,
    "layers": ("lint-imports", "--no-logo"),
    "dependencies": ("deptry", "."),
    **QUICK,
}
"""The longest first: begun last, it would be waited for alone."""
PARTS = {"quick": QUICK, "audit": AUDIT, "whole": WHOLE}


def ended(step: Sequence[str]) -> tuple[int, str, float]:
    """Run a step; return its exit code, what it said, and how many seconds it took."""
    program, *words = step
    began = time.monotonic()
    done = subprocess.run(
        [str(BIN / program), *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, time.monotonic() - began


def failed(steps: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Run steps, as many at once as there are cores.

    Yield the name of each that finds fault.
    """
    with ThreadPoolExecutor(os.cpu_count()) as beside:
        running = {beside.submit(ended, step): name for name, step in steps.items()}
        for one in as_completed(running):
            code, said, seconds = one.result()
            how = "FAILED" if code else "passed"
            print(
                f"{said.strip()}\ngate: {running[one]} {how} ({seconds:.0f} s)".strip(), flush=True
            )
            if code:
                yield running[one]


def main() -> int:
    """Run the part that is named, or all of it; return the exit code."""
    faults = list(failed(PARTS[sys.argv[1] if sys.argv[1:] else "whole"]))
    if faults:
        print(f"gate: {', '.join(sorted(faults))} found fault; see above")
    return bool(faults)


if __name__ == "__main__":
    raise SystemExit(main())
