"""Registering a complaint at the desk: one page, under a minute (T1–T3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import (
    BooleanField,
    MultipleFileField,
    StringField,
    TextAreaField,
    validators,
)

from admin.complaints.files import attach_uploads, chosen_files
from admin.panel import formats, forms, labels, pickers, row_access, wording
from admin.panel.column_names import column_name
from admin.panel.permissions import may, may_see
from admin.panel.signed_in import current_staff
from models.base import db
from models.billing import Invoice
from models.complaints import FACTS, Category, Ticket
from models.hints import DeskHint
from models.incidents import Incident
from models.people import Owner, Staff
from office.complaints import incidents, queries, work
from office.complaints.complainants import NewComplainant
from office.complaints.deadlines import TicketProfile, new_clocks
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.registration import NewTicket, register_ticket
from office.estate import hints, owners
from office.estate.search import Hit, search
from rules.deadlines import Moment
from rules.incidents import phase
from rules.money import LIMIT
from rules.numbers import decimal_of, whole_of
from rules.reasons import Reason
from rules.severity import FACT_KINDS, Facts, proposal
from rules.text_keys import compared_key

TICKS = tuple(name for name in FACTS if FACT_KINDS[name] is bool)
SHOWN_BILLS = 12


class UnitLoader(pickers.Loader):
    """Finds units by their code, and by the name, pinyin initials or phone of who lives there (T1)."""

    def get_list(self, query: str | None, offset: int = 0, limit: int = 10) -> list[Any]:
        by_code = super().get_list(query, offset, limit)
        return [*by_code, *self._by_name(query, {unit.id for unit in by_code})][:limit] if query else by_code

    def _by_name(self, query: str, known: set[int]) -> list[Hit]:
        if not may(current_staff().roles, "owners", "see"):
            return []
        hits = [
            hit
            for hit in search(db.session(), query, frozenset({"owner"}))
            if hit.unit_id not in {None, *known}
        ]
        wanted = select(Owner.id).where(
            Owner.id.in_([hit.id for hit in hits]), *self.view.lookup_scope("owner", Owner)
        )
        readable = set(db.session.scalars(wanted)) if hits else set()
        return [hit for hit in hits if hit.id in readable]

    def found(self, query: str, limit: int = 20) -> list[tuple[int, str]]:
        rows = self.get_list(query, 0, limit)
        return [self._shown(row) for row in rows]

    def named(self, text: str) -> list[int]:
        """The units that a text names in full: by their code, or by who lives there."""
        wanted = compared_key(text)
        rows = self.get_list(text, 0, pickers.MOST_ALIKE)
        return list(
            dict.fromkeys(
                self._shown(row)[0]
                for row in rows
                if wanted == compared_key(row.title if isinstance(row, Hit) else row.code)
            )
        )

    @staticmethod
    def _shown(row: Any) -> tuple[int, str]:
        if isinstance(row, Hit):
            assert row.unit_id is not None
            return row.unit_id, f"{row.detail} {row.title}"
        return row.id, row.code


def intake_form(view: Any, formdata: Any = None, **values: Any) -> Any:
    """The form with the reader's categories and staff; `values` fill it before anything is typed."""

    class Intake(forms.OfficeForm):
        unit = pickers.PickerField(_l("Unit no. or name"), loader=view.loader_of("unit"), allow_blank=True)
        complainant = StringField(_l("Complainant"), [validators.Length(max=120)])
        phone = StringField(_l("Phone"), [validators.Length(max=40)], render_kw={"data-sealed": ""})
        is_anonymous = BooleanField(_l("Anonymous"))
        others = TextAreaField(
            _l("Others who complain too"),
            [validators.Length(max=2000)],
            description=_l("One name a line"),
        )
        channel = forms.ChoiceField(_l("Channel"), labels=labels.CHANNELS_IN, default="desk")
        category = forms.ChoiceField(
            _l("Category"),
            [validators.InputRequired()],
            labels=categories(view.language),
            allow_blank=True,  # the clerk chooses (contract)
            description=_l("Decides the department"),
        )
        statement = TextAreaField(
            _l("What happened"), [validators.InputRequired(), validators.Length(max=20_000)]
        )
        incident = forms.ChoiceField(
            _l("Known incident"),
            labels=going_on(),
            allow_blank=True,
            description=_l("Told and resolved together with the others; F2 takes the next that fits"),
        )
        place = StringField(_l("Place"), [validators.Length(max=200)])
        occurred_at = forms.InstantField(_l("When it happened"), [validators.Optional()])
        wish = TextAreaField(_l("What is asked for"), [validators.Length(max=5000)])
        present = StringField(_l("Who was there"), [validators.Length(max=500)])
        household_count = forms.WholeField(
            _l("Households together"), [validators.NumberRange(min=1, max=100_000)], default=1
        )
        loss_amount = forms.MoneyField(_l("Loss"), [validators.Optional()])
        severity = forms.ChoiceField(
            _l("Severity"),
            labels=severities(view.now()),
            allow_blank=True,
            description=_l("Empty: as proposed"),
        )
        severity_note = StringField(_l("Reason for another severity"), [validators.Length(max=500)])
        accused = forms.ChoiceField(
            _l("Staff complained about"),
            labels=staff_names(),
            allow_blank=True,
            description=_l("Never handles it"),
        )
        repeat_of = pickers.PickerField(
            _l("Earlier complaint on the same matter"), loader=view.loader_of("repeat_of"), allow_blank=True
        )
        invoice = pickers.PickerField(
            _l("About this bill"), loader=view.loader_of("invoice"), allow_blank=True
        )
        resolution = TextAreaField(
            _l("Solved on the spot"),
            [validators.Length(max=5000)],
            description=_l("What was done; else leave empty"),
        )
        files = MultipleFileField(_l("Attachments"))

    for name in TICKS:
        setattr(Intake, name, BooleanField(column_name(name)))
    return Intake(formdata, **values)


def categories(language: str) -> Mapping[str, str]:
    """The categories in use with the department that answers for each; a digit chooses one by keyboard."""
    found = db.session.scalars(
        select(Category).where(Category.is_active).order_by(Category.position, Category.id)
    )
    return {
        category.code: f"{number} {category.name_in(language)} → {category.department.name_in(language)}"
        for number, category in enumerate(found, 1)
    }


def severities(now: datetime) -> Mapping[str, Any]:
    """The preset's severities, the most serious first."""
    policy = PolicyTimeline(db.session()).at(now).severities
    ranked = sorted(policy.level, key=lambda level: -level.rank)
    return {level.code: labels.SEVERITIES.get(level.code, level.code) for level in ranked}


def staff_names() -> Mapping[str, str]:
    """Active staff by id."""
    found = db.session.execute(select(Staff.id, Staff.name).where(Staff.is_active).order_by(Staff.name))
    return {str(staff_id): name for staff_id, name in found}


def going_on() -> dict[str, str]:
    """What is going on, by id; the desk joins a complaint to one of them."""
    return {str(row.id): f"{row} · {where(row)}" for row in incidents.going_on(db.session())}


def where(row: Incident) -> str:
    """Where an incident is, in words."""
    named = row.scope_value.replace(";", "; ")
    return named or str(labels.POOL_SCOPES[row.scope])


def incident(row: Incident, now: datetime) -> dict[str, Any]:
    """An incident as the desk sees it while somebody calls: what it is and what to say (T25)."""
    code = phase(row.begins_at, row.ends_at, row.closed_at, now).value
    end = formats.instant(row.ends_at) if row.ends_at else ""
    said = {
        "zh-Hans": row.residents_words,
        "zh-Hant": row.residents_words_zh_hant,
        "en": row.residents_words_en,
    }
    return {
        "id": row.id,
        "title": f"{row} · {where(row)}",
        "kind": _("Planned") if row.is_planned else _("Emergency"),
        "phase": str(labels.INCIDENT_PHASES[code]),
        "time": f"{formats.instant(row.begins_at)} – {end}",
        "staff": row.staff_words,
        "say": [{"lang": lang, "words": words} for lang, words in said.items() if words.strip()],
    }


def facts_of(given: Mapping[str, Any]) -> Facts:
    """The facts of a form or a query string. Raises ValueError for numbers that are none."""
    count = str(given.get("household_count") or "1")
    people, amount = whole_of(count), decimal_of(str(given.get("loss_amount") or "0"))
    if not 0 <= people < 10**6 or not 0 <= amount < LIMIT:
        raise ValueError(count)
    ticks = {name: str(given.get(name) or "") not in {"", "False", "false", "0"} for name in TICKS}
    return Facts(household_count=people, loss_amount=amount, **ticks)


def proposed(facts: Facts, now: datetime) -> dict[str, Any]:
    """The severity that the facts give, why, and by when what must be done."""
    policies = PolicyTimeline(db.session())
    answer = proposal(policies.at(now).severities, facts)
    clocks = new_clocks(policies, TicketProfile(0, now, answer.severity, facts), Moment.REGISTERED, now)
    years = sorted({year for clock in clocks if (year := _provisional_year(clock["rule"]))})
    return {
        "warning": _(
            "The holidays of %(years)s are not published yet: these deadlines may still move.",
            years=", ".join(map(str, years)),
        )
        if years
        else "",
        "severity": answer.severity,
        "label": str(labels.SEVERITIES.get(answer.severity, answer.severity)),
        "tone": formats.TONES.get(answer.severity, ""),
        "reason": str(wording.reason(answer.reason.to_json())),
        "clocks": [
            {"clock": str(labels.CLOCKS[clock["clock"]]), "due": formats.instant(clock["due_at"])}
            for clock in sorted(clocks, key=lambda clock: clock["due_at"])
        ],
    }


def _provisional_year(rule: str) -> int | None:
    return Reason.from_json(rule).inputs.get("provisional_year")  # type: ignore[return-value] # a year


def hints_of(unit_id: int | None, today: date) -> Sequence[DeskHint]:
    """What the desk should know of a unit and its building, for who may see it (T26)."""
    if unit_id is None or not may_see("desk_hints"):
        return ()
    return hints.of_unit(db.session(), unit_id, today, row_access.visible_rows(DeskHint))


def household(unit_id: int, today: date) -> dict[str, Any]:
    """Who lives there, their open complaints and bills: what the desk should see at once (T8, T12)."""
    session = db.session()
    resident = queries.resident_of(session, unit_id, today)
    return {
        "resident": resident.name if resident else "",
        "file": url_for("household.index", unit_id=unit_id) if may_see("household") else "",
        "hints": [f"{labels.HINT_KINDS[one.kind]}{_(': ')}{one.words}" for one in hints_of(unit_id, today)],
        "tickets": [
            {
                "id": ticket.id,
                "number": ticket.number,
                "at": formats.instant(ticket.registered_at),
                "state": str(labels.TICKET_STATES[ticket.state]),
                "statement": ticket.statement[:80],
            }
            for ticket in queries.open_tickets_of_units(session, [unit_id])
        ],
        "invoices": [
            {"id": row.id, "number": row.number, "balance": formats.money(row.balance)}
            for row in session.execute(
                select(Invoice.id, Invoice.number, Invoice.balance)
                .where(Invoice.unit_id == unit_id, Invoice.balance > 0)
                .order_by(Invoice.due_on, Invoice.id)
                .limit(SHOWN_BILLS)
            )
        ],
    }


def register(form: Any, *, now: datetime, clerk_id: int) -> Ticket:
    """Register what the form says; what was solved on the spot is resolved at once. Raises Refused."""
    session = db.session()
    unit = form.unit.data
    others = [line.strip() for line in (form.others.data or "").splitlines() if line.strip()]
    joining = [] if form.is_anonymous.data else _joining(form, unit)
    ticket = register_ticket(
        session,
        NewTicket(
            channel=form.channel.data,
            category=form.category.data,
            statement=form.statement.data,
            facts=facts_of(form.data),
            registered_at=now,
            unit_id=unit.id if unit else None,
            clerk_id=clerk_id,
            severity=form.severity.data or "",
            severity_note=form.severity_note.data or "",
            complainants=[*joining, *(NewComplainant(name) for name in others)],
            is_anonymous=bool(form.is_anonymous.data),
            occurred_at=form.occurred_at.data,
            place=form.place.data or "",
            wish=form.wish.data or "",
            present=form.present.data or "",
            accused_id=int(form.accused.data) if form.accused.data else None,
            repeat_of_id=form.repeat_of.data.id if form.repeat_of.data else None,
            invoice_id=form.invoice.data.id if form.invoice.data else None,
        ),
        now=now,
    )
    if form.incident.data:
        incidents.join(session, int(form.incident.data), ticket.id, now=now, staff_id=clerk_id)
    attach_uploads(chosen_files(form.files.data), now=now, ticket_id=ticket.id)
    if (form.resolution.data or "").strip():
        work.resolve_on_spot(session, ticket.id, resolution=form.resolution.data, now=now, staff_id=clerk_id)
    return ticket


def _joining(form: Any, unit: Any) -> list[NewComplainant]:
    """The first complainant; the owner or tenant of the unit where the name is theirs."""
    name = (form.complainant.data or "").strip()
    if not name:
        return []
    owner_id = owners.named_at(db.session(), name, unit.id) if unit else None
    return [NewComplainant(name, form.phone.data or "", owner_id, unit.id if unit else None)]


def sentence(ticket: Ticket) -> str:
    """The message that the desk sees after registering."""
    return _(
        "Complaint %(number)s is registered: %(severity)s.",
        number=ticket.number,
        severity=labels.SEVERITIES.get(ticket.severity, ticket.severity),
    )
