"""Which roles decide about debts and drawers, and whose affairs they read (B7, B9, C4, C9, M3, P7)."""

import pytest

from rules.roles import (
    is_at_least,
    is_bound_to_buildings,
    is_head,
    may_close_for_others,
    may_waive,
    reads_all_complaints,
)

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


# roles, is_bound_to_buildings, reads_all_complaints
READ = [
    ({"steward"}, True, False),
    ({"steward", "department_lead"}, True, False),
    ({"steward", "cashier"}, False, False),
    ({"steward", "front_desk"}, False, True),
    ({"department_lead"}, False, False),
    ({"cashier"}, False, False),
    ({"station_head"}, False, True),
    ({"it_admin"}, False, True),
    (set(), False, False),
]


@pytest.mark.parametrize(("roles", "is_bound", "reads_all"), READ)
def test_a_steward_alone_is_bound_and_the_desk_reads_every_complaint(roles, is_bound, reads_all):
    assert (is_bound_to_buildings(roles), reads_all_complaints(roles)) == (is_bound, reads_all)
