"""One notice for several units of a payer: who speaks for whom, and how a promise is shared out (C19)."""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.joint_notices import joined, shared_out
from rules.ladder import Stage
from tests.factories.ladders import ladder


class Row(NamedTuple):
    payer_id: int
    unit_id: int
    stage: Stage
    debt: Decimal


STAGES = {stage.code: stage for stage in (*ladder("residential").stages, *ladder("tower").stages)}
GROUPS = [
    # payer, unit, stage, debt of each; the units of each group, the one that speaks first
    ([(1, 1, "friendly", 50), (1, 2, "letter", 10), (1, 3, "friendly", 80)], [[2, 3, 1]]),
    ([(1, 1, "friendly", 50), (2, 2, "friendly", 10)], [[1], [2]]),
    ([(1, 2, "call", 50), (1, 1, "call", 50)], [[1, 2]]),
    ([(1, 1, "upcoming", 50), (1, 2, "letter", 10), (1, 3, "upcoming", 60)], [[3, 1], [2]]),
    ([(1, 1, "court", 50), (1, 2, "court", 10), (1, 3, "call", 60), (1, 4, "visit", 1)], [[1], [2], [4, 3]]),
    ([(1, 1, "restriction_request", 50), (1, 2, "letter", 10)], [[1], [2]]),
    ([], []),
]


@pytest.mark.parametrize(("rows", "groups"), GROUPS)
def test_the_strongest_stage_of_a_payer_speaks_for_the_others(rows, groups):
    made = [Row(payer, unit, STAGES[code], Decimal(debt)) for payer, unit, code, debt in rows]

    assert [[row.unit_id for row in group] for group in joined(made)] == groups


SHARES = [
    ("100", [("a", "60"), ("b", "60")], {"a": "60", "b": "40"}),
    ("60", [("a", "60"), ("b", "60")], {"a": "60"}),
    ("150", [("a", "60"), ("b", "60")], {"a": "60", "b": "90"}),
    ("10", [("a", "60")], {"a": "10"}),
    ("100", [("a", "60")], {"a": "100"}),
]


@pytest.mark.parametrize(("amount", "debts", "parts"), SHARES)
def test_a_promise_fills_one_debt_after_the_other(amount, debts, parts):
    found = shared_out(Decimal(amount), [(key, Decimal(owed)) for key, owed in debts])

    assert found == {key: Decimal(part) for key, part in parts.items()}


@given(st.decimals("0.01", "9999", places=2), st.lists(st.decimals("0.01", "999", places=2), min_size=1))
def test_the_parts_of_a_promise_add_up(amount, debts):
    assert sum(shared_out(amount, list(enumerate(debts))).values()) == amount


def test_a_gate_or_a_request_keeps_a_stage_alone():
    assert STAGES["letter"].is_joinable
    assert not replace(STAGES["letter"], gate="legal").is_joinable
    assert not STAGES["restriction_request"].is_joinable
