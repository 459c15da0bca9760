"""What may hold dunning at an instant: promises, complaints, holds, gates; who can be reached how."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import String, and_, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Contact, DunningHold, Reminder
from models.complaints import Ticket
from models.people import Occupancy, Owner, OwnerPhone
from office.arrears.debts import AsOf, Debtor
from office.core.database import IN_ONE_QUERY, chunks
from office.messaging import channels
from office.messaging.channels import ELECTRONIC
from office.policies import store
from rules.dunning import DayFacts
from rules.gates import NOTHING_TRIED, Gates, LegalFacts
from rules.ladder import Ladder, LadderDocument, Stage

ALWAYS_REACH = frozenset({"print", "visit"})  # need no address
HANDED_OVER = ("sent", "printed", "done")
LETTERS = frozenset({"final_letter", "lawyer_letter"})


def available_channels(session: Session) -> frozenset[str]:
    """The electronic channels to owners that IT has set up (C5)."""
    return channels.available(session) & ELECTRONIC


def stored_ladder(session: Session, on: date) -> Ladder:
    """The ladder in force on a day (C1)."""
    return store.in_force(session, LadderDocument, on).ladder(store.in_force(session, Gates, on))


def letter_stages(ladder: Ladder) -> frozenset[str]:
    """The stages whose document counts as a letter for the gates (C9, C10)."""
    return frozenset(stage.code for stage in ladder.stages if stage.document in LETTERS)


@dataclass(frozen=True)
class Holds:
    """What holds the ladders of all debtors at the moment; few at any time (C6, C7, C12)."""

    promised: Mapping[Debtor, date] = field(default_factory=dict)
    complaints: frozenset[Debtor] = frozenset()
    holds: frozenset[Debtor] = frozenset()

    def of(self, debtor: Debtor) -> tuple[date | None, bool, bool]:
        """A payer's and unit's promise, open complaint and hold."""
        return self.promised.get(debtor), debtor in self.complaints, debtor in self.holds


def holds_at(session: Session, as_of: AsOf, units: Collection[int] | None = None) -> Holds:
    """The promises, open complaints and holds that stood at the moment; with `units` only theirs."""
    promised = (
        select(Contact.unit_id, Contact.payer_id, func.max(Contact.promised_on).label("promised_on"))
        .where(
            Contact.promised_on >= as_of.day,
            Contact.at < as_of.at,
            ~as_of.is_later(Contact.recorded_at),
        )
        .group_by(Contact.unit_id, Contact.payer_id)
    )
    complaints = (
        select(Invoice.unit_id, Invoice.payer_id)
        .join(Ticket, Ticket.invoice_id == Invoice.id)
        .where(
            Ticket.invoice_id.is_not(None),
            Ticket.registered_at < as_of.at,
            or_(Ticket.closed_at.is_(None), as_of.is_later(Ticket.closed_at)),
        )
    )
    holds = select(DunningHold.unit_id, DunningHold.payer_id).where(
        DunningHold.from_at < as_of.at,
        or_(DunningHold.until_on.is_(None), DunningHold.until_on >= as_of.day),
        or_(DunningHold.ended_at.is_(None), as_of.is_later(DunningHold.ended_at)),
    )
    if units is not None:
        promised = promised.where(Contact.unit_id.in_(units))
        complaints = complaints.where(Invoice.unit_id.in_(units))
        holds = holds.where(DunningHold.unit_id.in_(units))
    return Holds(
        {(row.unit_id, row.payer_id): row.promised_on for row in session.execute(promised)},
        _debtors(session, complaints),
        _debtors(session, holds),
    )


def _debtors(session: Session, query: Any) -> frozenset[Debtor]:
    return frozenset((unit_id, payer_id) for unit_id, payer_id in session.execute(query))


def reachable(
    session: Session, payers: Iterable[int], available: frozenset[str]
) -> dict[int, frozenset[str]]:
    """The channels that reach each payer: print and visit always, others when one is good (C5, P6).

    `available` are the wired channels that the office has. Where many are asked, others may be answered too.
    """
    wanted = set(payers)
    has_email = and_(Owner.email != "", ~Owner.is_email_bad).label("has_email")
    has_chat = and_(Owner.chat_id != "", ~Owner.is_chat_bad).label("has_chat")
    has_phone = exists().where(OwnerPhone.owner_id == Owner.id, ~OwnerPhone.is_bad).label("has_phone")
    found: dict[int, frozenset[str]] = {}
    # so many at once are most of the estate: then all of it is asked
    for chunk in [wanted] if len(wanted) > IN_ONE_QUERY else chunks(wanted):
        asked = select(Owner.id, has_email, has_phone, has_chat)
        if len(chunk) <= IN_ONE_QUERY:
            asked = asked.where(Owner.id.in_(chunk))
        alike = asked.subquery()  # the few available to be reached, each with its payers
        ids = func.aggregate_strings(cast(alike.c.id, String), " ")
        kinds = (alike.c.has_email, alike.c.has_phone, alike.c.has_chat)
        rows = session.execute(select(*kinds, ids).group_by(*kinds))
        for is_mailed, is_called, is_in_chat, listed in rows:
            reach = ALWAYS_REACH | ({"email"} & available if is_mailed else set())
            reach |= {"wecom"} & available if is_in_chat else set()
            if is_called:
                reach |= {"phone"} | ({"sms"} & available)
            found |= dict.fromkeys(map(int, listed.split()), reach)
    return found


def depends_on_payer(stage: Stage, available: frozenset[str]) -> bool:
    """Whether the stage's channel depends on the payer at all."""
    first = next((code for code in stage.channels if code not in ELECTRONIC or code in available), "")
    return first not in ALWAYS_REACH


@dataclass(frozen=True)
class ContactAttempts:
    """Contacts by method and documents handed over to a payer and unit since a day (C9, C10)."""

    methods: Mapping[str, int] = field(default_factory=dict)
    stages_done: frozenset[str] = frozenset()
    is_vacated: bool = False

    def legal(self, letters: frozenset[str]) -> LegalFacts:
        """The facts for the legal gate; `letters` are the stages whose document is a letter."""
        return LegalFacts(
            frozenset(method for method, count in self.methods.items() if count),
            bool(self.stages_done & letters),
            self.is_vacated,
        )


def attempts_since(
    session: Session, as_of: AsOf, since: Mapping[Debtor, date]
) -> dict[Debtor, ContactAttempts]:
    """The attempts with each payer and unit after the day given for it, as known at the moment."""
    methods: dict[Debtor, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    done: dict[Debtor, set[str]] = defaultdict(set)
    there: set[Debtor] = set()
    for chunk in chunks({unit_id for unit_id, _ in since}):
        contacts = session.execute(
            select(Contact.unit_id, Contact.payer_id, Contact.method, Contact.at).where(
                Contact.unit_id.in_(chunk), Contact.at < as_of.at, ~as_of.is_later(Contact.recorded_at)
            )
        )
        for unit_id, payer_id, method, at in contacts:
            if (unit_id, payer_id) in since and at.astimezone(as_of.zone).date() > since[unit_id, payer_id]:
                methods[unit_id, payer_id][method] += 1
        handed = session.execute(
            select(Reminder.unit_id, Reminder.payer_id, Reminder.stage, Reminder.due_on).where(
                Reminder.unit_id.in_(chunk), Reminder.state.in_(HANDED_OVER), Reminder.sent_at < as_of.at
            )
        )
        for unit_id, payer_id, stage, due_on in handed:
            if (unit_id, payer_id) in since and due_on >= since[unit_id, payer_id]:
                done[unit_id, payer_id].add(stage)
        living = select(Occupancy.unit_id, Occupancy.owner_id).where(
            Occupancy.unit_id.in_(chunk),
            Occupancy.from_on <= as_of.day,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= as_of.day),
        )
        there |= _debtors(session, living)
    return {
        debtor: ContactAttempts(dict(methods[debtor]), frozenset(done[debtor]), debtor not in there)
        for debtor in since
    }


def day_facts(
    debtor: Debtor,
    as_of: AsOf,
    holds: Holds,
    channels: frozenset[str] | None,
    legal: LegalFacts = NOTHING_TRIED,
) -> DayFacts:
    """What the rules ask of a payer and unit on the day."""
    promised_on, is_complaint_open, is_on_hold = holds.of(debtor)
    return DayFacts(
        day=as_of.day,
        promised_on=promised_on,
        is_complaint_open=is_complaint_open,
        is_on_hold=is_on_hold,
        reachable=channels,
        legal=legal,
    )
