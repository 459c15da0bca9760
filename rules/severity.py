"""How serious a complaint is, from its facts, and who may change that (T3)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Literal, Self

from rules.codes import Role, Severity
from rules.policy_values import Amount, Checked, NotNegative, PolicyValueError
from rules.reasons import Reason

Fact = bool | int | Decimal
TickedFact = Literal[
    "is_media",
    "is_injury",
    "is_legal_letter",
    "is_repeat",
    "is_written",
    "from_authority",
    "about_staff_conduct",
    "happening_now",
]
FactName = Literal["household_count", "loss_amount"] | TickedFact


@dataclass(frozen=True)
class Facts:
    """What the desk ticks about a complaint (contract: fact columns); `loss_amount` is decimal yuan (T3)."""

    household_count: int = 0
    is_media: bool = False
    is_injury: bool = False
    loss_amount: Decimal = Decimal(0)
    is_legal_letter: bool = False
    is_repeat: bool = False
    is_written: bool = False
    from_authority: bool = False
    about_staff_conduct: bool = False
    happening_now: bool = False

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Facts:
        """Build from a ticket's row; a fact that is absent, empty or None is its default.

        Raises TypeError for text in a yes-or-no fact.
        """
        given: dict[str, Fact] = {}
        for name, kind in FACT_KINDS.items():
            value = row.get(name)
            if value is None or value == "":
                continue
            if kind is bool and isinstance(value, str):
                raise TypeError(f"{name}: a tick box is true or false, not text")
            given[name] = Decimal(str(value)) if kind is Decimal else kind(value)  # type: ignore[arg-type,call-overload] # int and bool take what a column holds
        return cls(**given)  # type: ignore[arg-type] # each value was made by its own field's kind

    @classmethod
    def from_json(cls, stored: str) -> Self:
        """Build from what `to_json` gave."""
        return cls(**{**json.loads(stored), "loss_amount": Decimal(json.loads(stored)["loss_amount"])})

    def to_json(self) -> str:
        """Answer all facts as JSON."""
        return json.dumps({**asdict(self), "loss_amount": str(self.loss_amount)})

    def value(self, name: str) -> Fact:
        """Answer one fact by its column code. Raises KeyError for a name that is no fact."""
        if name not in FACT_KINDS:
            raise KeyError(name)
        value: Fact = getattr(self, name)
        return value


FACT_KINDS: Mapping[str, type[bool | int | Decimal]] = {
    spec.name: type(spec.default)  # type: ignore[misc] # every fact has a default
    for spec in fields(Facts)
}


@dataclass(frozen=True)
class SeverityLevel(Checked):
    """One level a ticket can have; a higher `rank` is more serious (T3)."""

    code: Severity
    rank: NotNegative


@dataclass(frozen=True)
class SeverityRule(Checked):
    """One ordered policy row: the fact that makes a ticket this severe, a count or sum from `at_least` on."""

    severity: Severity
    fact: FactName
    at_least: Amount | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (FACT_KINDS[self.fact] is bool) != (self.at_least is None):
            raise PolicyValueError("least_value_unclear", fact=self.fact)

    def is_met(self, facts: Facts) -> bool:
        value = facts.value(self.fact)
        return bool(value) if self.at_least is None else value >= self.at_least


@dataclass(frozen=True)
class SeverityPolicy:
    """A preset's levels, its ordered rules, and who may lower a level (T3).

    Raises ValueError when a rule or the default names a level that is not there.
    """

    level: tuple[SeverityLevel, ...]
    rule: tuple[SeverityRule, ...]
    default: Severity
    lowered_by: tuple[Role, ...] = ()

    def __post_init__(self) -> None:
        known = {level.code for level in self.level}
        unknown = {self.default, *(rule.severity for rule in self.rule)} - known
        if unknown:
            raise PolicyValueError("severity_not_listed", severity=", ".join(sorted(unknown)))

    def rank(self, severity: str) -> int:
        """Answer the level's rank. Raises KeyError for an unknown severity."""
        ranks: dict[str, int] = {level.code: level.rank for level in self.level}
        return ranks[severity]


@dataclass(frozen=True)
class Proposal:
    """A severity and why."""

    severity: str
    reason: Reason


def proposal(policy: SeverityPolicy, facts: Facts) -> Proposal:
    """Answer the severity that the first matching rule gives, with the fact that gave it (T3)."""
    for rule in policy.rule:
        if rule.is_met(facts):
            inputs: dict[str, object] = {"value": facts.value(rule.fact)}
            if rule.at_least is not None:
                inputs["at_least"] = rule.at_least
            return Proposal(rule.severity, Reason(rule.fact, inputs))
    return Proposal(policy.default, Reason("no_aggravating_fact"))


def registered_severity(
    policy: SeverityPolicy, facts: Facts, chosen: str, *, roles: Collection[str], explanation: str
) -> Proposal | Reason:
    """Answer the severity with which a ticket is registered, or why the one chosen may not be chosen (T3).

    `chosen` is the clerk's, empty = as the facts propose; below the proposal it needs role and explanation.
    Raises KeyError for an unknown severity.
    """
    proposed = proposal(policy, facts)
    if not chosen or chosen == proposed.severity:
        return proposed
    refused = change_refusal(policy, proposed.severity, chosen, roles=roles, explanation=explanation)
    inputs = {"proposed": proposed.severity, "note": explanation}
    return refused or Proposal(chosen, Reason("chosen_by_staff", inputs))


def unconfirmed_severity(policy: SeverityPolicy, claimed: Facts) -> Proposal:
    """Answer the severity of a complaint whose facts a stranger claims: as if without them (T3)."""
    inputs: dict[str, object] = {"proposed": proposal(policy, claimed).severity}
    return Proposal(proposal(policy, Facts()).severity, Reason("not_confirmed", inputs))


def change_refusal(
    policy: SeverityPolicy, current: str, proposed: str, *, roles: Collection[str], explanation: str
) -> Reason | None:
    """Answer why a severity may not be changed so, or None when it may (T3).

    Raising is free; lowering needs one of the policy's roles and an explanation.
    Raises KeyError for an unknown severity.
    """
    if policy.rank(proposed) >= policy.rank(current):
        return None
    if not set(roles) & set(policy.lowered_by):
        return Reason("lowering_needs_role", {"roles": ", ".join(policy.lowered_by)})
    if not explanation.strip():
        return Reason("lowering_needs_explanation")
    return None
