"""A known incident: who calls is joined to it, all are told, resolved, and it turns major once (T25)."""

import pytest
from sqlalchemy import func, select

from models.complaints import Category, Escalation, Ticket, TicketEvent
from models.incidents import Incident, IncidentTicket
from office.complaints import incidents, retention, severities, work
from office.core.errors import Refused
from rules.severity import Facts
from tests.factories.complaints import at, complain, people
from tests.factories.estate import add_unit


def going_on(session, **given):
    incident = Incident(
        **{
            "number": incidents.next_number(session, at("09:00")),
            "title": "No water",
            "scope": "estate",
            "scope_value": "",
            "begins_at": at("09:00"),
            "staff_words": "The main burst; the waterworks come at 11",
            "residents_words": "",
            **given,
        }
    )
    incidents.check(session, incident)
    session.add(incident)
    session.flush()
    return incident


def joined(session, incident, staff, *, clock="10:00", **more):
    ticket = complain(session, clock, **more)
    incidents.join(session, incident.id, ticket.id, now=at(clock), staff_id=staff["front_desk"])
    return session.get(Ticket, ticket.id)


def verbs(session, ticket):
    return list(
        session.scalars(
            select(TicketEvent.verb).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.id)
        )
    )


def test_three_households_make_the_lead_major_once(session):
    """T25, T3: the lead alone, at the third household; the fourth and a lowering raise nothing again."""
    staff = people(session)
    incident = going_on(session)
    units = [add_unit(session, code).id for code in ("1-1", "1-2", "1-3", "1-4")]
    first = joined(session, incident, staff, unit_id=units[0])
    again = joined(session, incident, staff, unit_id=units[0])
    second = joined(session, incident, staff, unit_id=units[1])
    assert (session.get(Ticket, first.id).severity, incident.raised_to) == ("minor", "")

    third = joined(session, incident, staff, clock="10:30", unit_id=units[2])

    session.expire_all()
    assert (first.severity, first.household_count, incident.raised_to) == ("major", 3, "major")
    assert [one.severity for one in (again, second, third)] == ["minor"] * 3
    escalated = session.scalar(select(func.count()).select_from(Escalation))
    severities.change_severity(
        session, first.id, "minor", now=at("10:40"), staff_id=staff["station_head"], note="a small leak"
    )
    joined(session, incident, staff, clock="10:45", unit_id=units[3])
    session.expire_all()
    assert (first.severity, first.household_count) == ("minor", 4)
    assert verbs(session, first).count("raise_severity") == 1
    assert session.scalar(select(func.count()).select_from(Escalation)) == escalated


def test_a_lead_that_was_solved_hands_on(session):
    staff = people(session)
    incident = going_on(session)
    first = joined(session, incident, staff)
    work.resolve_on_spot(session, first.id, resolution="told", now=at("10:05"), staff_id=staff["front_desk"])
    others = [joined(session, incident, staff, clock="10:10") for _ in range(2)]
    session.expire_all()
    assert [one.severity for one in (first, *others)] == ["minor", "major", "minor"]
    assert others[0].household_count == 3


def test_what_leaves_takes_its_households_along(session):
    staff = people(session)
    incident = going_on(session)
    first, second = (joined(session, incident, staff) for _ in range(2))
    assert session.get(Ticket, first.id).household_count == 2

    incidents.leave(session, first.id, now=at("10:20"), staff_id=staff["front_desk"])

    session.expire_all()
    assert (first.household_count, second.household_count) == (1, 1)
    assert session.scalars(select(IncidentTicket.ticket_id).where(IncidentTicket.is_lead)).all() == [
        second.id
    ]
    with pytest.raises(Refused, match="no incident"):
        incidents.leave(session, first.id, now=at("10:21"), staff_id=staff["front_desk"])


def test_one_note_goes_to_all_that_wait(session):
    staff = people(session)
    incident = going_on(session)
    waits, done, about_them = (
        joined(session, incident, staff),
        joined(session, incident, staff),
        joined(session, incident, staff, accused_id=staff["station_head"]),
    )
    work.resolve_on_spot(session, done.id, resolution="told", now=at("10:05"), staff_id=staff["front_desk"])

    told = incidents.note(
        session, incident.id, " The pump is here ", now=at("10:30"), staff_id=staff["station_head"]
    )

    assert (told.done, told.refused, told.others) == (1, (), 1)
    noted = session.execute(
        select(TicketEvent.ticket_id, TicketEvent.note).where(TicketEvent.verb == "note_progress")
    ).all()
    assert noted == [(waits.id, "The pump is here")]
    assert about_them.id not in {ticket for ticket, _ in noted}


def test_closing_resolves_each_and_names_what_could_not_be(session):
    """T25: nothing half done: what is refused stays as it was, with the reason; closing again finishes it."""
    staff = people(session)
    incident = going_on(session)
    fresh, at_work = joined(session, incident, staff), joined(session, incident, staff)
    work.take_on(session, at_work.id, now=at("10:10"), staff_id=staff["worker"])
    claimed = joined(session, incident, staff, claimed=Facts(is_media=True))
    before = verbs(session, claimed)

    told = incidents.close(
        session, incident.id, "The main is mended", now=at("11:00"), staff_id=staff["station_head"]
    )

    session.expire_all()
    assert told.done == 2
    ((number, why),) = told.refused
    assert number == claimed.number
    assert "First confirm" in str(why)
    assert [one.state for one in (fresh, at_work, claimed)] == ["resolved", "resolved", "registered"]
    assert {one.resolution for one in (fresh, at_work)} == {"The main is mended"}
    assert verbs(session, claimed) == before
    assert (incident.state, incident.resolution) == ("closed", "The main is mended")
    with pytest.raises(Refused, match="over"):
        joined(session, incident, staff, clock="11:05")

    severities.confirm_claims(session, claimed.id, is_so=False, now=at("11:10"), staff_id=staff["front_desk"])
    again = incidents.close(session, incident.id, "Told", now=at("11:20"), staff_id=staff["front_desk"])
    assert (again.done, again.refused) == (1, ())
    assert incident.resolution == "The main is mended"
    with pytest.raises(Refused, match="over"):
        incidents.close(session, incident.id, "Told", now=at("11:30"), staff_id=staff["front_desk"])


def test_intake_finds_those_that_fit(session):
    unit, other = (add_unit(session, code).id for code in ("1-101", "2-101"))
    cleaning, greening = (
        session.scalars(select(Category).where(Category.code == code)).one()
        for code in ("cleaning", "greening")
    )
    everywhere = going_on(session)
    of_unit = going_on(session, scope="units", scope_value=" 1-101 ", category_id=cleaning.id)
    over = going_on(session)
    incidents.close(session, over.id, "done", now=at("09:30"), staff_id=None)

    def found(unit_id, category):
        return incidents.fitting(session, unit_id, category)

    assert of_unit.scope_value == "1-101"
    assert found(None, "") == [everywhere, of_unit]
    assert found(unit, "cleaning") == [everywhere, of_unit]
    assert found(unit, greening.code) == [everywhere]
    assert found(other, "cleaning") == [everywhere]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"scope": "units", "scope_value": "  "}, "which areas"),
        ({"scope": "units", "scope_value": "9-999"}, "Nobody knows"),
        ({"ends_at": at("08:59")}, "before it begins"),
        ({"staff_words": " "}, "what to tell"),
    ],
)
def test_what_cannot_be_an_incident_is_refused(session, given, why):
    with pytest.raises(Refused, match=why):
        going_on(session, **given)


def test_a_complaint_is_joined_once_and_explained(session):
    staff = people(session)
    incident = going_on(session)
    ticket = joined(session, incident, staff)
    with pytest.raises(Refused, match="already"):
        incidents.join(session, incident.id, ticket.id, now=at("10:05"), staff_id=staff["front_desk"])
    told = incidents.explain_incident(session, incident.number, at("10:06"))
    assert told["tickets"] == [{"number": ticket.number, "state": "registered", "severity": "minor"}]
    assert (told["households"], told["lead"], told["phase"]) == (1, ticket.number, "on")


def test_retention_takes_the_joining_and_leaves_the_incident(session):
    """T11."""
    staff = people(session)
    incident = going_on(session)
    ticket = joined(session, incident, staff)
    ticket.closed_at, ticket.state = at("2026-03-03 10:00"), "closed"
    session.flush()
    assert retention.remove_expired(session, at("2036-03-03 10:00")).done == 1
    assert session.scalars(select(IncidentTicket)).all() == []
    assert session.get(Incident, incident.id) is not None
