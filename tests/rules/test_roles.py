"""Which roles decide about debts and drawers (C4, B7, B9, C9, M3)."""

import pytest

from rules.roles import is_at_least, is_head, may_close_for_others, may_waive

# roles, the wanted one, whether they suffice
ORDER = [
    ({"steward"}, "steward", True),
    ({"station_head"}, "steward", True),
    ({"steward"}, "station_head", False),
    ({"station_head"}, "station_head", True),
    ({"manager"}, "station_head", True),
    ({"station_head"}, "manager", False),
    ({"director"}, "manager", True),
    ({"manager"}, "director", False),
    ({"director"}, "director", True),
    ({"cashier", "it_admin", "front_desk"}, "steward", False),
    ({"cashier"}, "cashier", True),
    ({"director"}, "cashier", False),
    (set(), "steward", False),
]


@pytest.mark.parametrize(("roles", "wanted", "answer"), ORDER)
def test_a_role_suffices_for_itself_and_for_those_below_it(roles, wanted, answer):
    assert is_at_least(roles, wanted) == answer


# role, is_head, may_waive, may_close_for_others
RIGHTS = [
    ("steward", False, False, False),
    ("cashier", False, False, False),
    ("station_head", True, False, False),
    ("manager", True, True, True),
    ("director", True, True, False),
    ("it_admin", False, False, False),
]


@pytest.mark.parametrize(("role", "heads", "waives", "closes"), RIGHTS)
def test_what_each_role_decides(role, heads, waives, closes):
    answers = is_head({role}), may_waive({role}), may_close_for_others({role})

    assert answers == (heads, waives, closes)
