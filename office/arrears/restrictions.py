"""Restricting an optional contracted service: request, gate, two approvals, effect, lifting (C9).

Water, power, heat, gas and access can't be chosen (Civil Code art. 944): rules/gates.py refuses them whatever
a policy says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session, aliased

from models.billing import FeeItem, Invoice
from models.collection import Contact, Restriction
from models.payments import Payment
from models.people import Department, Staff, StaffRole
from models.property import Estate, Unit
from office.arrears import dunning, holds
from office.arrears.debts import AsOf, Debt, Debtor, owed, total
from office.core import installation
from office.core.audit import record
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.core.staff import refuse_same_person, roles_of
from office.messaging import outbox
from office.payments import cheques
from office.policies import store
from rules import ladder as ladder_rules
from rules.calendar_months import months_later
from rules.dunning import past_due
from rules.gates import (
    Approval,
    Gates,
    RestrictionFacts,
    RestrictionGate,
    is_restrictable,
    restriction_missing,
)
from rules.reasons import Reason
from rules.roles import is_head

WAITING = ("requested", "approved")
NOT_ENDED = (*WAITING, "in_effect", "suspended")
BOUNCES_SEEN = timedelta(days=7)  # how far back the daily job looks for payments that were taken back
AGAIN = aliased(Restriction)  # that follows one that was lifted
HEAD_VISIT = "head_visit"
NO_SERVICE = N_("a service")  # until it is chosen
BECAME: Mapping[str, str] = {  # what an alert says, by the state
    "requested": N_("Unit %(unit)s: the restriction of %(service)s is asked for again; please decide"),
    "approved": N_("Unit %(unit)s: the restriction of %(service)s is approved"),
    "in_effect": N_("Unit %(unit)s: %(service)s is restricted from now on"),
    "lifted": N_("Unit %(unit)s: the restriction of %(service)s is lifted"),
    "stopped": N_("Unit %(unit)s: the restriction of %(service)s does not take effect"),
    "refused": N_("Unit %(unit)s: the restriction of %(service)s is refused"),
    "suspended": N_("Unit %(unit)s: an undertaking is signed, %(service)s is given back until it ends"),
}


def gate(session: Session, on: date) -> RestrictionGate:
    """The gate in force on a day."""
    return store.in_force(session, Gates, on).restriction


def choosable_services(session: Session, on: date) -> Sequence[FeeItem]:
    """The services that may be restricted at all: optional by policy, protected by no law."""
    rule = gate(session, on)
    items = session.scalars(select(FeeItem).where(FeeItem.is_active, FeeItem.is_restrictable))
    return [item for item in items if is_restrictable(rule, item.code)]


def request_restriction(
    session: Session,
    debtor: Debtor,
    *,
    fee_item_id: int,
    contract_clause: str,
    now: datetime,
    staff_id: int | None,
) -> Restriction:
    """Ask for a restriction by hand; the ladder's own requests are made by it. Raises Refused."""
    as_of = AsOf.of(session, now)
    debts = _past_due(session, as_of, debtor)
    if not debts:
        raise Refused(N_("There is no debt past due"))
    made = Restriction(
        unit_id=debtor[0],
        payer_id=debtor[1],
        invoice_id=debts[0].id,
        requested_on=as_of.day,
        requested_by_id=staff_id,
    )
    session.add(made)
    session.flush()
    choose_service(
        session, made.id, fee_item_id=fee_item_id, contract_clause=contract_clause, now=now, staff_id=staff_id
    )
    return made


def choose_service(
    session: Session,
    restriction_id: int,
    *,
    fee_item_id: int,
    contract_clause: str,
    now: datetime,
    staff_id: int | None,
) -> None:
    """Name the service and the clause that allows it. Raises Refused for what the law protects."""
    restriction = _stored(session, restriction_id, ("requested",))
    item = session.get(FeeItem, fee_item_id)
    day = AsOf.of(session, now).day
    if item is None or not item.is_restrictable or not is_restrictable(gate(session, day), item.code):
        raise Refused(N_("This service can't be restricted"))
    if not contract_clause.strip():
        raise Refused(N_("Name the clause of the contract that allows it"))
    restriction.fee_item_id, restriction.contract_clause = fee_item_id, contract_clause.strip()
    record(
        session,
        now,
        staff_id,
        "choose_service",
        restriction,
        {"service": item.code, "clause": contract_clause},
    )


def missing(
    session: Session, restriction: Restriction, *, at: datetime, is_taking_effect: bool = False
) -> tuple[str, ...]:
    """What the restriction still lacks, in the gate's order (C9)."""
    as_of = AsOf.of(session, at)
    return restriction_missing(
        gate(session, as_of.day), _facts(session, restriction, as_of), is_taking_effect=is_taking_effect
    )


def questions(session: Session, restriction: Restriction, *, at: datetime) -> list[tuple[str, bool]]:
    """Each question of the gate and whether it is answered, in the gate's order (C9)."""
    rule = gate(session, AsOf.of(session, at).day)
    nothing = RestrictionFacts(service="", is_contracted=False, debt=Decimal(0))
    asked = restriction_missing(rule, nothing, is_taking_effect=True)
    lacking = missing(session, restriction, at=at, is_taking_effect=True)
    return [(code, code not in lacking) for code in asked]


def _facts(session: Session, restriction: Restriction, as_of: AsOf) -> RestrictionFacts:
    debtor = (restriction.unit_id, restriction.payer_id)
    since = session.scalar(select(Invoice.due_on).where(Invoice.id == restriction.invoice_id))
    known = holds.attempts_since(session, as_of, {debtor: since or restriction.requested_on})[debtor]
    chain = holds.stored_ladder(session, as_of.day)
    item = session.get(FeeItem, restriction.fee_item_id) if restriction.fee_item_id else None
    return RestrictionFacts(
        service=item.code if item is not None and item.is_restrictable else "",
        is_contracted=bool(restriction.contract_clause),
        debt=total(_past_due(session, as_of, debtor)),
        calls=known.methods.get("phone", 0),
        visits=known.methods.get("visit", 0),
        is_letter_delivered=bool(known.stages_done & holds.letter_stages(chain)),
        is_head_visit_done=HEAD_VISIT in known.stages_done or _head_was_there(session, debtor, since, as_of),
        requested_by=restriction.requested_by_id,
        approvals=_approvals(session, restriction, as_of),
    )


def _past_due(session: Session, as_of: AsOf, debtor: Debtor) -> list[Debt]:
    debts = owed(session, as_of, until=as_of.day, units=[debtor[0]]).get(debtor, [])
    return past_due(debts, as_of.day)


def _head_was_there(session: Session, debtor: Debtor, since: date | None, as_of: AsOf) -> bool:
    visits = session.execute(
        select(Contact.at, StaffRole.role)
        .join(StaffRole, StaffRole.staff_id == Contact.staff_id)
        .where(
            Contact.unit_id == debtor[0],
            Contact.payer_id == debtor[1],
            Contact.method == "visit",
            Contact.at < as_of.at,
        )
    )
    return any(
        is_head((role,)) and (since is None or at.astimezone(as_of.zone).date() > since)
        for at, role in visits
    )


def _approvals(session: Session, restriction: Restriction, as_of: AsOf) -> tuple[Approval, ...]:
    """Both approvals; the second one is the manager's, signed."""
    given = (
        (restriction.approved_by_id, restriction.approved_at, False),
        (restriction.second_approved_by_id, restriction.second_approved_at, True),
    )
    signing = gate(session, as_of.day).signing_role
    return tuple(
        Approval(staff, signing if is_signed else "", is_signed, at.astimezone(as_of.zone).date())
        for staff, at, is_signed in given
        if staff is not None and at is not None
    )


def _stored(session: Session, restriction_id: int, states: Sequence[str]) -> Restriction:
    restriction = session.get(Restriction, restriction_id, populate_existing=True)
    if restriction is None or restriction.state not in states:
        raise Refused(N_("The restriction is no longer in a state that allows this"))
    return restriction


# --- approvals ------------------------------------------------------------------------------------


def approve_restriction(
    session: Session, restriction_id: int, *, is_signed: bool, now: datetime, staff_id: int
) -> Restriction:
    """Give one of the two approvals; the manager's is signed. With both it waits for its day (C9).

    Raises Refused with what the gate misses, for one's own request, and for a second approval by one person.
    """
    restriction = _stored(session, restriction_id, ("requested",))
    lacking = missing(session, restriction, at=now)
    if lacking:
        raise Refused(N_("The gate is not passed yet: %(missing)s"), missing=", ".join(lacking))
    refuse_same_person(
        [restriction.requested_by_id, restriction.approved_by_id, restriction.second_approved_by_id], staff_id
    )
    as_of = AsOf.of(session, now)
    roles = roles_of(session, staff_id)
    if is_signed:
        if gate(session, as_of.day).signing_role not in roles:
            raise Refused(N_("The signed approval is the manager's"))
        restriction.second_approved_by_id, restriction.second_approved_at = staff_id, now
    else:
        if not is_head(roles):
            raise Refused(N_("A restriction is approved by the station head and the manager"))
        restriction.approved_by_id, restriction.approved_at = staff_id, now
    session.flush()
    record(session, now, staff_id, "approve", restriction, {"is_signed": is_signed})
    if not missing(session, restriction, at=now, is_taking_effect=True):
        _set_day(session, restriction, as_of)
        if restriction.effective_on is not None and restriction.effective_on <= as_of.day:
            _take_effect(session, restriction, as_of)
    return restriction


def _set_day(session: Session, restriction: Restriction, as_of: AsOf) -> None:
    chain = holds.stored_ladder(session, as_of.day)
    due_on = session.scalar(select(Invoice.due_on).where(Invoice.id == restriction.invoice_id))
    calendar = store.calendar(session, as_of.day)
    stage = chain.find(dunning.REQUEST)
    restriction.state = "approved"
    restriction.effective_on = (
        ladder_rules.effective_on(stage, calendar, due_on, as_of.day)
        if stage is not None and due_on is not None
        else calendar.next_working_day(as_of.day, is_inclusive=False)
    )


def refuse_restriction(
    session: Session, restriction_id: int, *, reason: str, now: datetime, staff_id: int
) -> None:
    """Refuse a request. Raises Refused without a reason."""
    restriction = _stored(session, restriction_id, WAITING)
    if not reason.strip():
        raise Refused(N_("A refusal needs a reason"))
    _end(session, restriction, "refused", Reason("staff", {"note": reason}), now, staff_id)


def _end(
    session: Session, restriction: Restriction, state: str, reason: Reason, at: datetime, staff_id: int | None
) -> None:
    before, restriction.state, restriction.reason = restriction.state, state, reason.to_json()
    if state == "lifted":
        restriction.lifted_on = AsOf.of(session, at).day
    session.flush()
    changes = {"state": (before, state), "reason": str(reason)}
    record(session, at, staff_id, state, restriction, changes)


# --- effect and lifting ---------------------------------------------------------------------------


def apply_restrictions(session: Session, due_for: datetime) -> JobResult:
    """Each day: approved ones take effect, gate asked again; paid ones are lifted; undertakings end (C9).

    One that was lifted as paid is asked for again when that payment was taken back.
    """
    as_of = AsOf.of(session, due_for)
    rows = session.scalars(
        select(Restriction)
        .where(text("restriction.state IN ('approved', 'in_effect', 'suspended')"))
        .order_by(Restriction.id)
    ).all()
    debts = owed(session, as_of, until=as_of.day, units={row.unit_id for row in rows}) if rows else {}
    counts: dict[str, int] = {}
    if asked := _question_lifted(session, as_of):
        counts["requested"] = asked
    for restriction in rows:
        before = restriction.state
        _step(session, restriction, as_of, debts)
        if restriction.state != before:
            counts[restriction.state] = counts.get(restriction.state, 0) + 1
    return JobResult(done=sum(counts.values()), result=counts)


def _step(
    session: Session, restriction: Restriction, as_of: AsOf, debts: Mapping[Debtor, Sequence[Debt]]
) -> None:
    is_paid = _is_paid(session, restriction, debts, as_of.day)
    begun_on = restriction.effective_on
    is_over = begun_on is not None and as_of.day > ends_on(session, begun_on)
    if restriction.state == "approved":
        if restriction.effective_on is not None and restriction.effective_on <= as_of.day:
            _take_effect(session, restriction, as_of)
    elif is_paid:
        if restriction.state == "suspended":
            restriction.undertaking_state = "kept"
        _lift(session, restriction, as_of.at, Reason("paid"))
    elif is_over:
        _lift(session, restriction, as_of.at, Reason("term_over"))
    elif restriction.state == "suspended" and _is_broken(restriction, as_of.day):
        restriction.undertaking_state = "broken"
        ends = {"until": restriction.undertaking_until}
        _end(session, restriction, "in_effect", Reason("undertaking_broken", ends), as_of.at, None)
        _tell_security(session, restriction, as_of.at)


def _is_paid(
    session: Session, restriction: Restriction, debts: Mapping[Debtor, Sequence[Debt]], day: date
) -> bool:
    """Whether nothing is past due, and no cheque that paid it may still bounce (M13)."""
    debtor = (restriction.unit_id, restriction.payer_id)
    return not past_due(debts.get(debtor, ()), day) and not cheques.uncleared(session, *debtor)


def _question_lifted(session: Session, as_of: AsOf) -> int:
    """Ask again for restrictions lifted as paid whose payment was taken back; answers how many (C9).

    The new request says why and needs its gate and approvals; the station head and the manager are told.
    """
    taken_back, of = aliased(Payment), aliased(Payment)
    rows = session.execute(
        select(Restriction, of.receipt_no)
        .join(of, (of.unit_id == Restriction.unit_id) & (of.payer_id == Restriction.payer_id))
        .join(taken_back, taken_back.counters_id == of.id)
        .where(
            taken_back.kind == "reversal",
            taken_back.posted_on >= as_of.day - BOUNCES_SEEN,
            taken_back.posted_at <= as_of.at,
            Restriction.state == "lifted",
            Restriction.lifted_on >= of.posted_on,
            ~exists().where(AGAIN.follows_id == Restriction.id),
        )
        .order_by(Restriction.id, taken_back.id)
    )
    asked = 0
    for restriction, receipt_no in rows.all():
        if Reason.from_json(restriction.reason).code == "paid" and _ask_again(
            session, restriction, receipt_no, as_of
        ):
            asked += 1
    return asked


def _ask_again(session: Session, lifted: Restriction, receipt_no: str, as_of: AsOf) -> bool:
    debtor = (lifted.unit_id, lifted.payer_id)
    same_debtor = (Restriction.unit_id == lifted.unit_id, Restriction.payer_id == lifted.payer_id)
    running = select(Restriction.id).where(*same_debtor, Restriction.state.in_(NOT_ENDED))
    debts = _past_due(session, as_of, debtor)
    if not debts or session.scalar(running.limit(1)) is not None:
        return False
    reason = Reason("payment_bounced", {"receipt_no": receipt_no, "lifted_on": lifted.lifted_on})
    made = Restriction(
        unit_id=lifted.unit_id,
        payer_id=lifted.payer_id,
        invoice_id=debts[0].id,
        fee_item_id=lifted.fee_item_id,
        contract_clause=lifted.contract_clause,
        requested_on=as_of.day,
        reason=reason.to_json(),
        follows_id=lifted.id,
    )
    session.add(made)
    session.flush()
    record(session, as_of.at, None, "request", made, {"reason": str(reason)})
    heads = select(Staff.id).join(StaffRole, StaffRole.staff_id == Staff.id)
    in_charge = heads.where(Staff.is_active, StaffRole.role.in_(("station_head", "manager")))
    _tell(session, made, set(session.scalars(in_charge)), as_of.at)
    return True


def _is_broken(restriction: Restriction, day: date) -> bool:
    return restriction.undertaking_until is not None and restriction.undertaking_until < day


def _take_effect(session: Session, restriction: Restriction, as_of: AsOf) -> None:
    """The gate is asked once more: paid meanwhile, or no longer complete, stops it."""
    lacking = missing(session, restriction, at=as_of.at, is_taking_effect=True)
    if "debt" in lacking:
        _end(session, restriction, "stopped", Reason("paid"), as_of.at, None)
    elif lacking:
        lacks = Reason("gate", {"missing": " ".join(lacking)})
        _end(session, restriction, "stopped", lacks, as_of.at, None)
    else:
        _end(session, restriction, "in_effect", Reason("approved"), as_of.at, None)
        _tell_security(session, restriction, as_of.at)


def ends_on(session: Session, effective_on: date) -> date:
    """The last day of a restriction that takes effect on a day: its policy row's months later (C9)."""
    return months_later(effective_on, gate(session, effective_on).months)


def _lift(session: Session, restriction: Restriction, at: datetime, reason: Reason) -> None:
    _end(session, restriction, "lifted", reason, at, None)
    if reason.code == "paid":  # the day it was paid and known, however late the scheduler comes to it
        as_of = AsOf.of(session, at)
        paid_at, posted_on = session.execute(
            select(Payment.paid_at, Payment.posted_on)
            .where(
                Payment.unit_id == restriction.unit_id,
                Payment.payer_id == restriction.payer_id,
                Payment.paid_at <= at,
            )
            .order_by(Payment.paid_at.desc(), Payment.id.desc())
            .limit(1)
        ).one_or_none() or (at, as_of.day)
        known_on = max(paid_at.astimezone(as_of.zone).date(), posted_on)
        cleared_on = cheques.last_cleared_on(session, restriction.unit_id, restriction.payer_id)
        restriction.lifted_on = min(max(known_on, cleared_on or known_on), as_of.day)
        session.flush()
    _tell_security(session, restriction, at)


def lift_paid(session: Session, due_for: datetime) -> JobResult:
    """Each minute: a restriction whose debt was paid is lifted by itself (C9)."""
    rows = session.scalars(select(Restriction).where(text("restriction.state = 'in_effect'"))).all()
    if not rows:
        return JobResult()
    as_of = AsOf.of(session, due_for)
    debts = owed(session, as_of, until=as_of.day, units={row.unit_id for row in rows})
    lifted = 0
    for restriction in rows:
        if _is_paid(session, restriction, debts, as_of.day):
            _lift(session, restriction, due_for, Reason("paid"))
            lifted += 1
    return JobResult(done=lifted)


def sign_undertaking(
    session: Session, restriction_id: int, *, until_on: date, now: datetime, staff_id: int
) -> Restriction:
    """Early restoration against a signed promise with an end; a broken one restores the restriction (C9)."""
    restriction = _stored(session, restriction_id, ("in_effect",))
    today = AsOf.of(session, now).day
    if until_on <= today:
        raise Refused(N_("An undertaking needs an end after today"))
    restriction.undertaken_on = today
    restriction.undertaking_until, restriction.undertaking_state = until_on, "signed"
    _end(session, restriction, "suspended", Reason("undertaking", {"until": until_on}), now, staff_id)
    _tell_security(session, restriction, now)
    return restriction


def _tell_security(session: Session, restriction: Restriction, at: datetime) -> None:
    """Security must know what is restricted and what no longer is (C9)."""
    department_id = session.scalar(select(Department.id).where(Department.code == "security"))
    staff = session.scalars(select(Staff.id).where(Staff.department_id == department_id, Staff.is_active))
    _tell(session, restriction, set(staff), at)


def _tell(session: Session, restriction: Restriction, staff: Collection[int], at: datetime) -> None:
    """An alert to each of these people, in their language: what became of a restriction (D9)."""
    translate, estate = installation.of(session).translate, session.execute(select(Estate)).scalar_one()
    code = session.scalar(select(Unit.code).where(Unit.id == restriction.unit_id))
    item = session.get(FeeItem, restriction.fee_item_id) if restriction.fee_item_id else None
    languages = session.execute(
        select(Staff.id, Staff.language).where(Staff.id.in_(staff)).order_by(Staff.id)
    )
    for staff_id, own_language in languages:
        language = own_language or estate.language
        service = item.name_in(language) if item else translate(language, NO_SERVICE)
        said = translate(language, BECAME[restriction.state], unit=code, service=service)
        outbox.enqueue(
            session,
            f"restriction-{restriction.id}-{restriction.state}-{at:%Y%m%d%H%M}-{staff_id}",
            "alert",
            "",
            subject=f"{estate.in_language('name', language)} {said}"[:300],
            body=said,
            language=language,
            now=at,
            staff_id=staff_id,
        )
