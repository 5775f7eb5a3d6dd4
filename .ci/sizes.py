"""Fails where a function or a folder has outgrown docs/style.md.

Then a concept wants a name; warns of long modules.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("app", "tests", "benchmarks", ".ci")
MODULE_LINES = 500
FUNCTION_LINES, CLAIM_LINES = 40, 60
"""Of a function, and of a test, which is one story from its beginning to its end."""
FOLDER_MODULES = 16
"""The most modules that a newcomer reads at a glance; beyond them a folder wants folders."""


def overgrown(path: Path) -> Iterator[str]:
    """Yield one sentence for each function that is too long, docstrings not counted."""
    name = path.relative_to(ROOT)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _length(node)
            most = CLAIM_LINES if name.parts[0] == "tests" else FUNCTION_LINES
            if length >= most:
                yield (
                    f"{name}:{node.lineno}: {node.name} has {length} lines; a function stays "
                    f"under {most}"
                )


def long(path: Path) -> Iterator[str]:
    """Yield a sentence for a module that is so long that it may hold two concepts.

    Nothing fails for it.
    """
    lines = path.read_text(encoding="utf-8").count("\n")
    if lines >= MODULE_LINES:
        yield (
            f"{path.relative_to(ROOT)}: {lines} lines; is it one concept? (a warning from "
            f"{MODULE_LINES} on)"
        )


def wide(modules: list[Path]) -> Iterator[str]:
    """Yield one sentence for each folder of the application with too many modules in it."""
    inside = Counter(
        path.parent
        for path in modules
        if path.is_relative_to(ROOT / "app") and path.stem != "__init__"
    )
    for folder, count in sorted(inside.items()):
        if count > FOLDER_MODULES:
            yield (
                f"{folder.relative_to(ROOT)}: {count} modules; a folder has at most "
                f"{FOLDER_MODULES}"
            )


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


if __name__ == "__main__":
    modules = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    warnings = [warning for path in modules for warning in long(path)]
    faults = [*wide(modules), *[fault for path in modules for fault in overgrown(path)]]
    print(*warnings, *faults, sep="\n", end="\n" if warnings or faults else "")
    sys.exit(bool(faults))
