import json

import pytest

from app.reference import load
from benchmarks.figures import Run, Runs, compared, limited, percentile, table
from benchmarks.plans import executed
from benchmarks.replay.plans import draw, referral_body
from benchmarks.replay.tally import Tally, flow_table
from benchmarks.round_trips import Reader
from benchmarks.wire import answer, request


@pytest.mark.parametrize(
    "values, share, expected",
    [
        ([], 0.5, 0.0),
        ([7.0], 0.99, 7.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        (list(range(1, 101)), 0.99, 99),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def runs(*rates: float) -> Runs:
    return Runs(tuple(Run(int(rate), 1.0, 1.0, 2.0, 0.1) for rate in rates))


def test_a_line_compares_the_medians_and_says_what_was_met() -> None:
    line = compared("hold", bare=runs(90, 100, 1000), plek=runs(10, 60, 61), bar=0.5, aim=1.0)
    assert (line.ratio, line.met, line.reached_aim) == (0.6, True, False)
    assert not limited("memory", value=201, most=200, unit="MB").met
    assert limited("trips", value=4, most=4, unit="trips", below=False).met
    assert "bar met, aim not met" in table([line])


def test_an_answer_ends_where_its_length_says() -> None:
    whole = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
    assert all(answer(whole[:end]) is None for end in range(len(whole)))
    found = answer(whole + b"HTTP/1.1")
    assert found is not None
    assert (found.status, found.end) == (201, len(whole))
    empty = answer(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert empty is not None
    assert empty.status == 204


def test_a_request_says_how_long_its_body_is() -> None:
    head, _, body = request(
        "POST", "/v1/holds", headers={"Idempotency-Key": "a"}, body={"a": 1}
    ).partition(b"\r\n\r\n")
    assert json.loads(body) == {"a": 1}
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Content-Length" not in request("GET", "/hello")


def message(kind: bytes, content: bytes) -> bytes:
    return kind + (len(content) + 4).to_bytes(4) + content


def test_round_trips_are_counted_where_the_client_waits_however_the_bytes_arrive() -> None:
    sent = (
        (8).to_bytes(4)
        + b"\0\0\0\0"
        + message(b"Q", b"BEGIN;\0")
        + message(b"P", b"one\0SELECT * FROM enter($1)\0\0\0")
        + message(b"H", b"")
        + message(b"B", b"\0one\0")
        + message(b"E", b"\0\0\0\0\0")
        + message(b"S", b"")
    )
    for step in (1, 3, len(sent)):
        reader = Reader([])
        for start in range(0, len(sent), step):
            reader.read(sent[start : start + step])
        assert reader.trips == ["BEGIN", "SELECT * FROM", "SELECT * FROM"]


def test_of_a_plan_only_what_ran_is_printed() -> None:
    plan = [
        "Nested Loop (actual rows=1)",
        "  ->  Scan on a (never executed)",
        "        Filter: b",
        "          ->  Scan on c (actual rows=1)",
        "  ->  Scan on d (actual rows=1)",
        "Execution Time: 1 ms",
    ]
    assert list(executed(plan)) == [plan[0], plan[4], plan[5]]


def test_the_same_seed_draws_the_same_arrivals() -> None:
    first, again = (list(draw(load(), count=30, seed=4)) for _ in range(2))
    assert first == again
    assert list(draw(load(), count=30, seed=5)) != first
    assert all(plan.stay > 0 for plan in first)
    assert {"urgency", "household", "dangerZones"} <= referral_body(first[0].case).keys()


def test_the_flow_of_a_region_balances_what_it_received_and_what_left_it() -> None:
    tally = Tally()
    tally.flow.update({("A", "B"): 3, ("B", "A"): 1, ("A", "A"): 2})
    tally.came_from.update({"A": 6, "B": 1})
    lines = [line.split() for line in flow_table(tally, {"A": "Aa", "B": "Be"}).splitlines()]
    assert lines[1:] == [["Aa", "6", "2", "3", "1", "-2"], ["Be", "1", "0", "1", "3", "+2"]]
