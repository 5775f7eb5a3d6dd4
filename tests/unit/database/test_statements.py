import pytest
from sqlalchemy import ARRAY, Text, bindparam, select, text

from app.database.statements import command
from app.models import Place


def test_a_value_that_was_forgotten_is_a_fault_and_never_null() -> None:
    statement = text("SELECT :one, :two").bindparams(bindparam("two", type_=Text))
    with pytest.raises(KeyError):
        command(statement, {"one": 1}).call({"one": 1})


def test_what_a_statement_holds_itself_is_given_and_what_is_named_comes_beside_it() -> None:
    values = {"kinds": ("a", "b")}
    statement = text("SELECT :one, :kinds, :one").bindparams(
        bindparam("one", 1), bindparam("kinds", type_=ARRAY(Text))
    )
    assert command(statement, values).call(values) == (
        "SELECT $1::INTEGER, $2::TEXT[], $1::INTEGER",
        [1, ["a", "b"]],
    )


def test_a_statement_made_from_another_is_not_taken_for_it() -> None:
    one = select(Place.id)
    command(one)
    other = one.limit(3)
    assert command(other).sql != command(one).sql
    assert command(other).call(None)[1][-1] == 3
