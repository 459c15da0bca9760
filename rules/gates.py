"""What must have happened before the last resorts, and what is still missing (C9, C10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from rules.calendar_months import months_in_arrears
from rules.codes import Role
from rules.limitation import LimitationPolicy
from rules.policy_values import Checked, FeeItemCode, NotNegative
from rules.reasons import Reason


@dataclass(frozen=True)
class LegalGate(Checked):
    """What must have happened before a legal case is opened (C10)."""

    months_in_arrears: NotNegative
    attempt_methods: NotNegative
    is_letter_needed: bool


@dataclass(frozen=True)
class RestrictionGate(Checked):
    """What must have happened before a service is restricted, and which services may be (C9)."""

    calls: NotNegative
    visits: NotNegative
    is_letter_needed: bool
    is_head_visit_needed: bool
    approvals: NotNegative
    signing_role: Role
    services: frozenset[FeeItemCode]
    months: NotNegative = 3  # of offices whose row does not say it yet


@dataclass(frozen=True)
class LawFirm:
    """Whose head a lawyer's letter bears, and the contract it quotes; without a name none is printed.

    `letter_mark` is what the firm's own letter numbers begin with, such as 衡律函字 (D6).
    """

    name: str = ""
    lines: tuple[str, ...] = ()
    lawyer: str = ""
    licence_no: str = ""
    contract: str = ""
    phone: str = ""
    letter_mark: str = ""


@dataclass(frozen=True)
class Gates:
    """The policy of the last resorts, gates.toml (C9, C10, C21)."""

    legal: LegalGate
    restriction: RestrictionGate
    law_firm: LawFirm = LawFirm()
    limitation: LimitationPolicy = field(default_factory=LimitationPolicy)


@dataclass(frozen=True)
class LegalFacts:
    """What was tried before a legal case: methods of contact, a letter delivered, premises vacated (C10)."""

    methods: frozenset[str] = frozenset()
    is_letter_delivered: bool = False
    is_vacated: bool = False


NOTHING_TRIED = LegalFacts()


def legal_missing(gate: LegalGate, facts: LegalFacts, due_on: date, day: date) -> tuple[str, ...]:
    """What a legal case still lacks: `months_in_arrears`, `attempt_methods`, `delivered_letter` (C10)."""
    is_long = months_in_arrears(due_on, day) >= gate.months_in_arrears
    return tuple(
        code
        for code, is_there in (
            ("months_in_arrears", is_long or facts.is_vacated),
            ("attempt_methods", len(facts.methods) >= gate.attempt_methods),
            ("delivered_letter", facts.is_letter_delivered or not gate.is_letter_needed),
        )
        if not is_there
    )


# Civil Code art. 944: never a means of collecting fees, whatever a policy row says
PROTECTED_SERVICES = frozenset({"water", "power", "electricity", "heat", "gas", "access"})


def gate_problems(gates: Gates) -> tuple[Reason, ...]:
    """What is wrong with edited gates, for checking on saving; a protected service is refused (§9)."""
    restriction, firm = gates.restriction, gates.law_firm
    unlawful = sorted(restriction.services & PROTECTED_SERVICES)
    found = []
    if restriction.approvals < 2:
        found.append(Reason("two_approvals_needed", {"approvals": restriction.approvals}))
    if unlawful:
        found.append(Reason("service_protected", {"services": " ".join(unlawful)}))
    if restriction.months < 1:
        found.append(Reason("restriction_without_end"))
    if firm.name and not (firm.lawyer and firm.licence_no):
        found.append(Reason("law_firm_incomplete"))
    return tuple(found)


@dataclass(frozen=True)
class Approval:
    """A person's approval of a restriction."""

    staff: int
    role: str
    is_signed: bool
    on: date


@dataclass(frozen=True)
class RestrictionFacts:
    """What was done before a restriction and who approved it; `debt` in yuan past due (C9)."""

    service: str
    is_contracted: bool
    debt: Decimal
    calls: int = 0
    visits: int = 0
    is_letter_delivered: bool = False
    is_head_visit_done: bool = False
    requested_by: int | None = None
    approvals: tuple[Approval, ...] = ()


def is_restrictable(gate: RestrictionGate, service: str) -> bool:
    """Whether a service may be restricted at all: optional by policy, and not protected by law (C9)."""
    return service in gate.services and service not in PROTECTED_SERVICES


def restriction_missing(
    gate: RestrictionGate, facts: RestrictionFacts, *, is_taking_effect: bool = False
) -> tuple[str, ...]:
    """What a restriction still lacks, in the gate's order; asked again when it takes effect (C9).

    Codes: `debt`, `optional_service`, `contracted_service`, `calls`, `visit`, `deadline_letter`, `head_visit`
    and, when it takes effect, `second_approval` and `manager_signature`.
    """
    others = {one.staff for one in facts.approvals if one.staff != facts.requested_by}
    is_signed = any(
        one.is_signed and one.role == gate.signing_role and one.staff in others for one in facts.approvals
    )
    return tuple(
        code
        for code, is_there in (
            ("debt", facts.debt > 0),
            ("optional_service", is_restrictable(gate, facts.service)),
            ("contracted_service", facts.is_contracted),
            ("calls", facts.calls >= gate.calls),
            ("visit", facts.visits >= gate.visits),
            ("deadline_letter", facts.is_letter_delivered or not gate.is_letter_needed),
            ("head_visit", facts.is_head_visit_done or not gate.is_head_visit_needed),
            ("second_approval", len(others) >= gate.approvals or not is_taking_effect),
            ("manager_signature", is_signed or not is_taking_effect),
        )
        if not is_there
    )
