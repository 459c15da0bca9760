"""Letters of reminder batches and other documents of arrears, as PDF and in the household file (C4, C9)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Instalment, InstalmentPlan
from models.collection import ArrearsNotice, Reminder, ReminderBatch, Restriction
from models.office import Paper, PaperSetting
from models.people import Owner, Staff
from models.property import Unit
from models.secrets import masked
from office.arrears import holds, joint_reminders, public_notices, reminder_batches, restrictions
from office.arrears.debts import AsOf, Debtor
from office.arrears.earlier_reminders import earlier_reminders
from office.core import clock
from office.core.audit import record
from office.core.errors import N_, Refused
from office.documents import archive, numbers
from office.documents.contacts import contact_persons
from office.documents.filing import NewPaper, print_papers, unfiled_pdf
from office.documents.languages import estate_language, payer_language
from office.documents.pdf import registry
from office.documents.pdf.billing import PaymentNotice
from office.documents.pdf.builder import total_of
from office.documents.pdf.collection import ArrearsNotice as PublicList
from office.documents.pdf.collection import (
    Consent,
    Demand,
    LawyerLetter,
    OptionalService,
    PromisedPayment,
    RestrictedService,
    RestrictionList,
    RestrictionNotice,
    Undertaking,
)
from office.documents.pdf.document import Size
from office.documents.pdf.templates import seed_blocks
from office.documents.pdf.values import EarlierPaper, Recipient
from office.policies import store
from rules.gates import Gates
from rules.ladder import Stage

Letter = PaymentNotice | Demand | LawyerLetter | RestrictionNotice
FALLBACK = "payment_reminder"  # the paper for a stage that names none
WRITTEN_DEMANDS = ("demand", "final_letter")
DELIVERED = ("done", "sent")  # printed alone has reached nobody
PRINTABLE = ("approved", "printed", "done", "sent")


def batch_pdf(session: Session, batch_id: int, *, now: datetime, staff_id: int, units: Any = None) -> bytes:
    """The approved letters of a batch that are printed, in the order of units; marks them printed (C4).

    With `units` (ids, or a query of them) only theirs. Raises Refused before the approval, and when nothing
    is left to print.
    """
    batch = session.get(ReminderBatch, batch_id, populate_existing=True)
    theirs = select(joint_reminders.lead_id()).where(
        Reminder.batch_id == batch_id, *([] if units is None else [Reminder.unit_id.in_(units)])
    )
    own = [] if units is None else [joint_reminders.lead_id().in_(theirs)]
    rows = session.scalars(
        select(Reminder)
        .join(Unit, Unit.id == Reminder.unit_id)
        .where(
            Reminder.batch_id == batch_id, Reminder.channel == "print", Reminder.state.in_(PRINTABLE), *own
        )
        .order_by(Unit.code, Reminder.id)
    ).all()
    if batch is None or (batch.state == "draft" and not rows):
        raise Refused(N_("This batch has not been approved yet"))
    if not rows:
        raise Refused(N_("There is nothing to print"))
    chain = holds.stored_ladder(session, AsOf.of(session, now).day)
    stage = chain.find(batch.stage)
    kind = stage.document if stage is not None and stage.document in registry.KINDS else FALLBACK
    papers: dict[Reminder, list[NewPaper]] = {row: [] for row in rows if row.joined_id is None}
    spoken_of: set[int] = set()
    for reminder, about, value, also in _values(session, kind, stage, rows, now=now):
        paper = NewPaper(value.number, value, about[0].unit_id, reminder.payer_id, also=also)
        papers.setdefault(reminder, []).append(paper)
        spoken_of.update(row.id for row in about)
    for reminder, listed in papers.items():
        if not listed and reminder.state != "approved":  # paid meanwhile: the letter that went out, if any
            listed.append(NewPaper(_older_number(reminder), None, also=_spellings(kind, reminder)))
    made = print_papers(
        session,
        kind,
        [paper for listed in papers.values() for paper in listed],
        now=now,
        staff_id=staff_id,
    )
    unprinted = [row.id for row in rows if row.id in spoken_of and row.state == "approved"]
    reminder_batches.mark(session, unprinted, "printed", now=now, staff_id=staff_id)
    return made


def _numbered(session: Session, kind: str, on: date, running: int) -> str:
    return numbers.letter_number(kind, estate_language(session), on.year, running)


def _older_number(reminder: Reminder) -> str:
    """The number that letters had before they bore a word for their kind; those filed with it keep it."""
    return f"{_made_for(reminder):%Y%m%d}-{reminder.id}"


def _made_for(reminder: Reminder) -> date:
    return reminder.batch.made_for if reminder.batch is not None else reminder.planned_on


def _spellings(kind: str, reminder: Reminder) -> tuple[str, ...]:
    """Under which other numbers a reminder's letter may be filed already."""
    return (
        _older_number(reminder),
        *numbers.spellings(kind, _made_for(reminder).year, reminder.id),
    )


def _of_restriction(restriction: Restriction, kind: str) -> tuple[str, ...]:
    """The same of a paper about a restriction."""
    before = {"restriction_notice": "R", "undertaking": "U"}[kind]
    written = numbers.spellings(kind, restriction.requested_on.year, restriction.id)
    return (f"{before}{restriction.id:06d}", *written)


def _values(
    session: Session,
    kind: str,
    stage: Stage | None,
    rows: Sequence[Reminder],
    *,
    now: datetime,
) -> Iterator[tuple[Reminder, tuple[Reminder, ...], Letter, tuple[str, ...]]]:
    """Each letter with the reminder whose number it bears, those that it is about, and its other numbers.

    Who owes nothing more gets none.
    """
    if kind == "payment_notice":
        by_subject = {row.subject_id: row for row in rows}
        for invoice, notice in archive.payment_notices(
            session, list(by_subject), on=AsOf.of(session, now).day
        ):
            about = by_subject[invoice.id]
            yield about, (about,), notice, ()
        return
    if kind == "restriction_notice":
        for row, said, also in _restriction_notices(session, rows):
            yield row, (row,), said, also
        return
    day = AsOf.of(session, now).day  # a letter that goes out late is dated, and its deadline counted, anew
    deadline = holds.stored_ladder(session, day).deadline(stage, day)
    office = estate_language(session)
    asked = [(row.unit_id, row.payer_id, str(row.id), deadline) for row in rows]
    owing = {one.number: one for one in archive.demands(session, asked, issued_on=day)}
    groups: dict[int, list[Reminder]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.joined_id is not None):
        groups[row.joined_id or row.id].append(row)
    chain = holds.stored_ladder(session, day)
    payers = {row.payer_id for row in rows} if chain.is_one_notice_per_payer else set()
    held = joint_reminders.on_hold(session, AsOf.of(session, now), payers)
    earlier = earlier_reminders(session, {(row.unit_id, row.payer_id) for row in rows}, before=now)
    for first, *others in groups.values():
        those = tuple(row for row in (first, *others) if str(row.id) in owing)
        if not those:
            continue
        number = numbers.letter_number(kind, office, _made_for(first).year, first.id)
        named = {row.unit_id for row in (first, *others)}
        waiting = [code for unit_id, code in held.get(first.payer_id, {}).items() if unit_id not in named]
        demand = _one_demand([owing[str(row.id)] for row in those], number, waiting)
        since = min(debt.due_on for debt in demand.debts)
        told = {one for row in those for one in earlier.get((row.unit_id, row.payer_id), ())}
        reminded = sorted((one for one in told if one.on > since), key=lambda one: (one.on, one.way))
        value = replace(demand, reminded=tuple(reminded))
        letter = _by_lawyer(session, value, first.id, now) if kind == "lawyer_letter" else value
        yield first, those, letter, _spellings(kind, first)


def _one_demand(demands: Sequence[Demand], number: str, waiting: Sequence[str]) -> Demand:
    """The demands of a payer's units as one letter to the first of them, each debt with its unit (C19)."""
    if len(demands) == 1 and not waiting:
        return replace(demands[0], number=number)
    debts = [
        replace(debt, unit_code=one.recipient.unit_code if len(demands) > 1 else "")
        for one in demands
        for debt in one.debts
    ]
    return replace(demands[0], number=number, debts=tuple(debts), waiting=tuple(waiting))


def _by_lawyer(session: Session, demand: Demand, running: int, now: datetime) -> LawyerLetter:
    """The demand as a letter of the office's law firm. Raises Refused when the policy names none."""
    firm = store.in_force(session, Gates, AsOf.of(session, now).day).law_firm
    if not firm.name:
        raise Refused(N_("First name the law firm, under Policies, Last resorts"))
    return LawyerLetter(
        number=demand.number,
        issued_on=demand.issued_on,
        deadline_on=demand.deadline_on,
        recipient=demand.recipient,
        debts=demand.debts,
        reminded=demand.reminded,
        firm_name=firm.name,
        firm_lines=firm.lines,
        lawyer_name=firm.lawyer,
        licence_no=firm.licence_no,
        contract=firm.contract,
        late_fee=demand.late_fee,
        waiting=demand.waiting,
        firm_phone=firm.phone,
        firm_number=_firm_number(firm.letter_mark, demand, running) if firm.letter_mark else "",
    )


def _firm_number(mark: str, demand: Demand, running: int) -> str:
    """The letter's number as the firm gives it: （2026）衡律函字第49号."""
    return f"（{demand.issued_on.year}）{mark}第{running}号"


def _restriction_notices(
    session: Session, rows: Sequence[Reminder]
) -> Iterator[tuple[Reminder, Letter, tuple[str, ...]]]:
    """The notices of requests with both approvals; the others are printed later."""
    by_debt: dict[tuple[int, int], list[Restriction]] = defaultdict(list)
    restrictions = session.scalars(
        select(Restriction).where(
            Restriction.unit_id.in_({row.unit_id for row in rows}),
            Restriction.state.in_(("approved", "in_effect")),
        )
    )
    for restriction in restrictions:
        by_debt[restriction.unit_id, restriction.payer_id].append(restriction)
    for row in rows:
        for restriction in by_debt[row.unit_id, row.payer_id]:
            also = _of_restriction(restriction, "restriction_notice")
            yield row, notice_of(session, restriction, row.planned_on), also


def notice_of(session: Session, restriction: Restriction, on: date) -> RestrictionNotice:
    """The letter to the payer of a restriction with both approvals (C9). Raises Refused before them."""
    zone = clock.zone(session)
    item = session.get(FeeItem, restriction.fee_item_id) if restriction.fee_item_id else None
    given = (
        ("station_head", restriction.approved_by_id, restriction.approved_at),
        ("manager", restriction.second_approved_by_id, restriction.second_approved_at),
    )
    consents = tuple(
        Consent(role, name, at.astimezone(zone).date())
        for role, staff_id, at in given
        if staff_id is not None and at is not None
        for name in [session.scalar(select(Staff.name).where(Staff.id == staff_id)) or ""]
    )
    if item is None or restriction.effective_on is None or len(consents) < len(given):
        raise Refused(N_("The letter needs the service and both approvals"))
    language = payer_language(session, restriction.payer_id)
    debtor = (restriction.unit_id, restriction.payer_id, str(restriction.id), on)
    demand = next(iter(archive.demands(session, [debtor], issued_on=on)), None)
    contact = contact_persons(session, {restriction.unit_id})[restriction.unit_id]
    since = min((debt.due_on for debt in demand.debts), default=on) if demand is not None else on
    return RestrictionNotice(
        number=_numbered(session, "restriction_notice", restriction.requested_on, restriction.id),
        issued_on=on,
        recipient=_recipient(session, restriction),
        debts=demand.debts if demand is not None else (),
        services=(OptionalService(item.code, item.name_in(language), restriction.contract_clause),),
        effective_on=restriction.effective_on,
        ends_on=restrictions.ends_on(session, restriction.effective_on),
        approvals=consents,
        rests_on=_written_demand(session, restriction, since, on),
        contact_name=contact.name,
        contact_phone=contact.phone,
    )


def _written_demand(
    session: Session, restriction: Restriction, since: date, before: date
) -> EarlierPaper | None:
    """The newest demand or final letter about the debt that was delivered to the payer (C9, D5)."""
    delivered = session.scalars(
        select(Reminder).where(
            Reminder.unit_id == restriction.unit_id,
            Reminder.payer_id == restriction.payer_id,
            Reminder.state.in_(DELIVERED),
        )
    )
    written = [number for row in delivered for number in _spellings("demand", row)]
    found = session.execute(
        select(Paper.kind, Paper.number, Paper.dated, Paper.language, PaperSetting.texts)
        .outerjoin(PaperSetting, PaperSetting.id == Paper.setting_id)
        .where(
            Paper.kind.in_(WRITTEN_DEMANDS),
            Paper.unit_id == restriction.unit_id,
            Paper.payer_id == restriction.payer_id,
            Paper.dated > since,
            Paper.dated <= before,
            Paper.number.in_(written),
        )
        .order_by(Paper.id.desc())
        .limit(1)
    ).first()
    if found is None or found.dated is None:
        return None
    title = (found.texts or seed_blocks(found.kind, found.language))["title"]
    return EarlierPaper(title, found.number, found.dated)


def _recipient(session: Session, restriction: Restriction) -> Recipient:
    payer = session.get_one(Owner, restriction.payer_id)
    code = session.scalar(select(Unit.code).where(Unit.id == restriction.unit_id)) or ""
    return Recipient(payer.name, code, payer.post_address)


def restriction_pdf(session: Session, restriction_id: int, *, now: datetime, staff_id: int) -> bytes:
    """The letter of one restriction, filed in the household file (C9). Raises Refused."""
    restriction = session.get(Restriction, restriction_id)
    if restriction is None:
        raise Refused(N_("There is nothing to print"))
    value = notice_of(session, restriction, AsOf.of(session, now).day)
    also = _of_restriction(restriction, "restriction_notice")
    paper = NewPaper(value.number, value, restriction.unit_id, restriction.payer_id, also=also)
    return print_papers(session, "restriction_notice", [paper], now=now, staff_id=staff_id)


def undertaking_pdf(session: Session, restriction_id: int, *, now: datetime, staff_id: int) -> bytes:
    """The undertaking against which a service came back, to be signed and filed (C9). Raises Refused."""
    restriction = session.get(Restriction, restriction_id)
    item = session.get(FeeItem, restriction.fee_item_id) if restriction and restriction.fee_item_id else None
    if restriction is None or item is None or restriction.undertaking_until is None:
        raise Refused(N_("There is no undertaking for this restriction"))
    day = AsOf.of(session, now).day
    debtor = (restriction.unit_id, restriction.payer_id)
    asked = (*debtor, "", day)
    demand = next(iter(archive.demands(session, [asked], issued_on=day)), None)
    debts = demand.debts if demand is not None else ()
    amount = total_of(debts)
    payer = session.get_one(Owner, restriction.payer_id)
    phone = next((one.number for one in payer.phones if not one.is_bad), "")
    recipient = replace(_recipient(session, restriction), phone=phone, id_number=payer.id_number or "")
    value = Undertaking(
        number=_numbered(session, "undertaking", restriction.requested_on, restriction.id),
        signed_on=day,
        recipient=_masked(recipient),
        amount=amount,
        payments=_instalments(session, debtor) or (PromisedPayment(restriction.undertaking_until, amount),),
        debts=debts,
        services=(item.name_in(payer_language(session, restriction.payer_id)),),
        ends_on=restriction.undertaking_until,
    )
    shown, also = replace(value, recipient=recipient), _of_restriction(restriction, "undertaking")
    paper = NewPaper(value.number, value, *debtor, shown=shown, also=also)
    seen = {"column": "phones id_number", "reason": value.number}
    record(session, now, staff_id, "reveal", payer, seen)
    return print_papers(session, "undertaking", [paper], now=now, staff_id=staff_id)


def _masked(recipient: Recipient) -> Recipient:
    """As it is filed: phone and ID number of a person stand open in no file (P3)."""
    return replace(recipient, phone=masked(recipient.phone), id_number=masked(recipient.id_number))


def _instalments(session: Session, debtor: Debtor) -> tuple[PromisedPayment, ...]:
    """What is still to be paid of the debtor's instalment plan, if there is one (B9)."""
    rows = session.scalars(
        select(Instalment)
        .join(InstalmentPlan, InstalmentPlan.id == Instalment.plan_id)
        .where(
            InstalmentPlan.unit_id == debtor[0],
            InstalmentPlan.payer_id == debtor[1],
            InstalmentPlan.state.in_(("proposed", "running")),
            Instalment.state == "open",
        )
        .order_by(InstalmentPlan.id, Instalment.due_on)
    )
    return tuple(PromisedPayment(row.due_on, row.amount) for row in rows)


def public_list_pdf(
    session: Session, notice_id: int, *, now: datetime, staff_id: int | None, size: Size = ""
) -> bytes:
    """The public list: unit codes and nothing else (C11), in a size for the wall (D10).

    Raises Refused before the director's approval.
    """
    notice = session.get(ArrearsNotice, notice_id)
    if notice is None or notice.approved_by_id is None:
        raise Refused(N_("A public list is approved by the director, not by who asked for it"))
    value = PublicList(
        number=_numbered(session, "arrears_notice", notice.from_on, notice.id),
        posted_on=notice.from_on,
        until_on=notice.to_on,
        place=notice.place,
        reason=notice.reason,
        approved_by=session.scalar(select(Staff.name).where(Staff.id == notice.approved_by_id)) or "",
        unit_codes=tuple(public_notices.notice_units(session, notice, at=now)),
    )
    also = (
        f"G{notice.id:06d}",
        *numbers.spellings("arrears_notice", notice.from_on.year, notice.id),
    )
    return print_papers(
        session,
        "arrears_notice",
        [NewPaper(value.number, value, also=also)],
        now=now,
        staff_id=staff_id,
        size=size,
    )


def restriction_list_pdf(session: Session, *, language: str, now: datetime) -> bytes:
    """What is restricted now, by unit and service, for those who carry it out: no names, no sums (C14)."""
    rows = session.execute(
        select(Restriction, Unit.code, FeeItem)
        .join(Unit, Unit.id == Restriction.unit_id)
        .join(FeeItem, FeeItem.id == Restriction.fee_item_id)
        .where(Restriction.state == "in_effect", Restriction.effective_on.is_not(None))
        .order_by(Unit.code, Restriction.id)
    )
    listed = []
    for restriction, code, item in rows:
        assert restriction.effective_on is not None  # asked for
        until = restrictions.ends_on(session, restriction.effective_on)
        listed.append(RestrictedService(code, item.name_in(language), restriction.effective_on, until))
    value = RestrictionList(AsOf.of(session, now).day, tuple(listed))
    return unfiled_pdf(session, "restriction_list", value, language=language, now=now)
