"""All sentences with which the code raises refusals."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path


def sentences(app: Path) -> Iterator[tuple[str, str]]:
    """Yield every sentence that a refusal is made with, with the file that has it."""
    for name, given in arguments(app):
        if isinstance(given, ast.Constant) and isinstance(given.value, str) and " " in given.value:
            yield name, given.value


def arguments(app: Path) -> Iterator[tuple[str, ast.expr]]:
    """Yield whatever a refusal is made with, with the file that has it."""
    modules = {
        str(path.relative_to(app)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(app.rglob("*.py"))
    }
    refusals = _refusals([*modules.values()])
    for name, tree in modules.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in refusals:
                yield from ((name, given) for given in _given(node))
            elif isinstance(node, ast.ClassDef) and node.name in refusals:
                yield from ((name, given) for given in _own(node))


def _refusals(modules: Sequence[ast.Module]) -> set[str]:
    """Return the names of Refusal and of the classes under it."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for tree in modules
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"Refusal"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def _own(refusal: ast.ClassDef) -> Iterator[ast.expr]:
    """Yield what a class of refusals hands on itself, and its defaults."""
    for node in ast.walk(refusal):
        if isinstance(node, ast.FunctionDef):
            yield from filter(None, [*node.args.defaults, *node.args.kw_defaults])
        elif isinstance(node, ast.Call) and _name(node.func) == "__init__":
            yield from _given(node)


def _given(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (keyword.value for keyword in call.keywords)


def _name(expression: ast.expr) -> str:
    return expression.id if isinstance(expression, ast.Name) else getattr(expression, "attr", "")
