"""Who decides from rows that a rule may hide stands in docs/everybody.md, and so is known."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app.models import Base
from tests.country import Country

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/everybody.md"
CLASSES = {mapper.class_.__name__: mapper.class_.__tablename__ for mapper in Base.registry.mappers}
HIDES = "unshielded"
"""The function that says whether a referral is hidden from a colleague: all hiding comes from it."""

READ = r"\b(?:FROM|JOIN|UPDATE|INTO|USING|TABLE)\s+(?:ONLY\s+)?(?:public\.)?"

FUNCTIONS = """
SELECT p.proname AS name, p.prosecdef AS as_owner, p.prorettype = 'trigger'::regtype AS fires,
       has_function_privilege('plek_app', p.oid, 'EXECUTE') AS open,
       coalesce(p.prosrc, '') || coalesce(pg_get_function_sqlbody(p.oid), '') AS body
FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
"""
RULES = """
SELECT c.relname AS name, pg_get_expr(p.polqual, p.polrelid) AS shows
FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid WHERE p.polcmd = 'r'
"""


@dataclass(frozen=True)
class Catalogue:
    """The tables that hide rows of a shielded referral, and the functions that read them."""

    tables: frozenset[str]
    readers: frozenset[str]
    """Every function that reads one of the tables, by itself or by one that it calls."""
    functions: Mapping[str, Any]

    @property
    def asked(self) -> set[str]:
        """The readers that the application calls, or that fire, and that see every row."""
        return {
            name
            for name in self.readers
            if self.functions[name].as_owner
            and (self.functions[name].open or self.functions[name].fires)
        }

    @property
    def within_rules(self) -> set[str]:
        """The readers with the eyes of the caller, which anyone may call."""
        return {
            name
            for name in self.readers
            if not self.functions[name].as_owner and self.functions[name].open
        }


async def catalogue(country: Country) -> Catalogue:
    functions = {row.name: row for row in await country.rows(FUNCTIONS)}
    rules = [(row.name, row.shows) for row in await country.rows(RULES)]
    tables, hiding = set[str](), {HIDES}
    while True:
        found = {name for name, shows in rules if mentions(shows, tables | hiding)}
        more = {
            name
            for name, one in functions.items()
            if not one.as_owner and mentions(one.body, found | hiding)
        }
        if found == tables and more <= hiding:
            break
        tables, hiding = found, hiding | more
    readers = set[str]()
    while more := {
        name
        for name, one in functions.items()
        if name not in readers and mentions(one.body, tables | readers)
    }:
        readers |= more
    return Catalogue(frozenset(tables), frozenset(readers), functions)


def mentions(text: str, names: set[str]) -> bool:
    return bool(words(text) & names)


def words(text: str) -> set[str]:
    """Return the tables and functions that SQL names, without its comments."""
    said = re.sub(r"--.*", "", text)
    named = re.findall(rf"public\.(\w+)|{READ}(\w+)|(\w+)\(", said)
    return {name for alternatives in named for name in alternatives}


@dataclass(frozen=True)
class Module:
    """A module of queries: what stands at its top, by name."""

    name: str
    top: Mapping[str, ast.stmt]

    def reads(self, name: str, tables: frozenset[str], seen: set[str]) -> bool:
        """Whether something reads a table, by itself or by what it uses of its module."""
        if name in seen:
            return False
        seen.add(name)
        return any(
            (isinstance(one, ast.Name) and CLASSES.get(one.id) in tables)
            or (
                isinstance(one, ast.Constant)
                and isinstance(one.value, str)
                and _reads(one.value, tables)
            )
            or (
                isinstance(one, ast.Name)
                and one.id in self.top
                and self.reads(one.id, tables, seen)
            )
            for one in ast.walk(self.top[name])
        )


def _reads(said: str, tables: frozenset[str]) -> bool:
    return not tables.isdisjoint(re.findall(rf"{READ}(\w+)", said))


def top_of(source: str) -> dict[str, ast.stmt]:
    """Return what stands at the top of a module, by name."""
    top: dict[str, ast.stmt] = {}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            top[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            stored = (one for one in ast.walk(statement) if isinstance(one, ast.Name))
            top |= {one.id: statement for one in stored if isinstance(one.ctx, ast.Store)}
    return top


def modules() -> Iterator[Module]:
    """Yield every module that has queries."""
    for file in sorted([*ROOT.glob("app/*/store/*.py"), *ROOT.glob("app/database/**/*.py")]):
        path = file.relative_to(ROOT / "app").with_suffix("")
        name = ".".join(part for part in path.parts if part != "store")
        yield Module(name, top_of(file.read_text(encoding="utf-8")))


def queries(tables: frozenset[str]) -> set[str]:
    """Return every function of the stores that reads or changes one of some tables."""
    return {
        f"{module.name}.{name}"
        for module in modules()
        for name, one in module.top.items()
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        and not name.startswith("_")
        and module.reads(name, tables, set())
    }


@cache
def section(title: str) -> str:
    """Return a section of the page."""
    return PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]


def named_in(title: str, form: str) -> set[str]:
    """Return the names of a form that stand in code in a section of the page."""
    return {name for name in re.findall(r"`([^`]+)`", section(title)) if re.fullmatch(form, name)}


ACTS, EYES, RULED = (
    "Acts for everybody",
    "Queries with the caller's eyes",
    "Functions with the caller's eyes",
)
A_FUNCTION, A_QUERY = r"[a-z_]+", r"[a-z]\w*(?:\.\w+){2,3}"
A_TEST = r"tests/[\w/]+\.py::test_\w+"


async def test_every_act_for_everybody_asks_a_function_that_sees_all_and_is_tested_with_a_shield(
    country: Country,
) -> None:
    known = await catalogue(country)
    assert known.asked - named_in(ACTS, A_FUNCTION) == set(), "say what it means by everybody"
    acts = section(ACTS).partition("\n\nA leaf")[0].split("\n- ")[1:]
    assert len(acts) > 15
    for act in acts:
        names = [name for name in re.findall(r"`([^`]+)`", act) if re.fullmatch(A_FUNCTION, name)]
        tests = [name for name in re.findall(r"`([^`]+)`", act) if re.fullmatch(A_TEST, name)]
        assert names, act
        assert tests, act
        for name in names:
            assert name in known.asked, name
        for test in tests:
            path, _, function = test.partition("::")
            text = (ROOT / path).read_text(encoding="utf-8")
            assert f"def {function}(" in text, test
            assert "shield" in text, test


async def test_every_other_query_of_such_a_table_says_why_the_callers_eyes_are_right(
    country: Country,
) -> None:
    known = await catalogue(country)
    assert {"referrals", "holds", "placements", "stays", "swap_legs", "leaves"} <= known.tables
    assert {"claims", "places", "sites", "outbox"}.isdisjoint(known.tables)
    there = queries(known.tables)
    listed = named_in(EYES, A_QUERY)
    assert there - listed == set(), "say in docs/everybody.md with whose eyes it reads"
    assert listed - there == set(), "these are gone"
    assert known.within_rules == named_in(RULED, A_FUNCTION)


def test_a_query_is_found_however_it_names_the_table() -> None:
    source = """
_READ = select(Placement.id)
_COUNT: TextClause = text("SELECT count(*) FROM placements")
def read(tx): return _READ
def count(tx): return _COUNT
def other(tx): return select(Claim.place_id)
"""
    module = Module("of_a_test", top_of(source))
    assert [name for name in module.top if module.reads(name, frozenset({"placements"}), set())] == [
        "_READ", "_COUNT", "read", "count",
    ]  # fmt: skip


async def test_a_function_that_reads_one_and_stands_nowhere_is_found(country: Country) -> None:
    await country.rows(
        "CREATE FUNCTION count_here() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
        " SET search_path = pg_catalog, public, pg_temp"
        " AS $$ SELECT count(*) FROM public.placements $$"
    )
    found = (await catalogue(country)).asked - named_in(ACTS, A_FUNCTION)
    assert found == {"count_here"}
