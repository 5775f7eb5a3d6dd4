"""Fails where docstrings, comments or documentation depart from docs/style.md, rule 9.

What it can see: the first line of a docstring, words that read twice, wide lines of documentation,
and names of files that are not there.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIRST_LINE, DOC_LINE = 88, 160
"""Columns of a docstring's first line, and of a line of documentation outside of code."""
WORDS = re.compile(
    r"\b(whoever|somebody|some(?:one|body) (?:who|of which)|of which|nought"
    r"|where there (?:is|are|was|were) none)\b",
    re.IGNORECASE,
)
DESCRIPTIONS = {"description", "summary", "help"}
"""Arguments with text for readers of the API and of the command line."""
OLDER = ("CHANGELOG.md", "docs/adr/")
"""Records of their time: they may name what is gone since."""
PATH = re.compile(r"(?<![\w/.-])(?:app|tests|migrations|benchmarks|docs|\.ci)/[\w./-]*\w")
MODULE = re.compile(r"(?<![\w/.-])app(?:\.[a-z_]\w*)+")
FILE = re.compile(r"`(\w+\.(?:py|sql|po))`")
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
FOLDERS = ("app", "tests", "benchmarks", "migrations", "docs", ".ci")
FILES = sorted(
    [*ROOT.glob("*.md"), *(path for one in FOLDERS for path in (ROOT / one).rglob("*.*"))]
)


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield comments, bare strings and descriptions of a module, each with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text
            case ast.keyword(arg=name, value=ast.Constant(value=str(text))) if name in DESCRIPTIONS:
                yield node.value.lineno, text
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def faults_of_module(name: str, source: str) -> Iterator[str]:
    """Yield one sentence for each fault in the texts of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = (ast.get_docstring(node) or "").partition("\n")[0]
            if len(first) > FIRST_LINE:
                line = node.body[0].lineno
                yield f"{name}:{line}: a docstring's first line has at most {FIRST_LINE} columns"
    for line, text in texts(source):
        for found in WORDS.finditer(" ".join(text.split())):
            yield f"{name}:{line}: say it without {found[0]!r}"
        yield from absent_files(f"{name}:{line}", text)


def faults_of_page(name: str, text: str) -> Iterator[str]:
    """Yield one sentence for each fault in a page of documentation."""
    in_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.startswith("    ") and len(line) > DOC_LINE:
            yield f"{name}:{number}: {len(line)} columns; at most {DOC_LINE}, a sentence a line"
        for link in LINK.findall(line):
            if not in_code and not (ROOT / name).parent.joinpath(link).exists():
                yield f"{name}:{number}: a link leads to no {link}"
        if not name.startswith(OLDER):
            yield from absent_files(f"{name}:{number}", line)


def absent_files(where: str, text: str) -> Iterator[str]:
    """Yield one sentence for each file or module that a text names and the tree has not."""
    for found in PATH.finditer(text):
        if not (ROOT / found[0]).exists():
            yield f"{where}: there is no {found[0]}"
    for found in FILE.finditer(text):
        if not any(path.name == found[1] for path in FILES):
            yield f"{where}: there is no {found[1]}"
    for found in MODULE.finditer(text):
        if not is_there(found[0].split(".")):
            yield f"{where}: there is no {found[0]}"


def unmapped_rooms() -> Iterator[str]:
    """Yield one sentence for each folder of the application that README's map lacks."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    for folder in sorted((ROOT / "app").iterdir()):
        named = f"`{folder.name}`" in page or f"`app/{folder.name}`" in page
        if (folder / "__init__.py").exists() and not named:
            yield f"README.md: the map of the house lacks app/{folder.name}"


def is_there(parts: list[str]) -> bool:
    """Whether a dotted name is a module of the tree, or something in one."""
    module = ROOT.joinpath(*parts)
    inside = module.parent if len(parts) > len(("app", "room")) else module
    return any(path.is_dir() or path.with_suffix(".py").exists() for path in (module, inside))


def faults() -> Iterator[str]:
    """Yield every fault in code and documentation."""
    yield from unmapped_rooms()
    for path in FILES:
        if path.suffix in CHECKS:
            name = path.relative_to(ROOT).as_posix()
            yield from CHECKS[path.suffix](name, path.read_text(encoding="utf-8"))


CHECKS = {".py": faults_of_module, ".md": faults_of_page}

if __name__ == "__main__":
    found = list(faults())
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(bool(found))
