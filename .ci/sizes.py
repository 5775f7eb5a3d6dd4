"""Fails where a module or a function has outgrown STYLE.md: then a concept wants a name."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("app", "tests", "benchmarks", ".ci")
MODULE_LINES = 300
FUNCTION_LINES = 40


def overgrown(path: Path) -> Iterator[str]:
    """Yield one sentence for each thing in a module that is too long, docstrings not counted."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT)
    lines = text.count("\n")
    if lines >= MODULE_LINES:
        yield f"{name}: {lines} lines; a module stays under {MODULE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _length(node)
            if length >= FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {length} lines; a function stays under {FUNCTION_LINES}"


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


if __name__ == "__main__":
    modules = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    faults = [fault for path in modules for fault in overgrown(path)]
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(bool(faults))
