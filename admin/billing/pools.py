"""Costs that several units share: the list, a page to enter one with its shares, its notice (B16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.billing.invoices import active_items
from admin.panel import error_messages, formats, labels, row_access, typed_text
from admin.panel.filters import ChoiceFilter, OneClick, RelationFilter, TextFilter
from admin.panel.idempotency import idempotent
from admin.panel.responses import pdf_response
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, Related, office_action
from models.base import db
from models.billing import FeeItem
from models.pools import Pool, PoolShare
from office.billing import pool_papers, pools, runs
from office.billing.pools import NewPool, Reckoned
from office.core.amounts import amount_of
from office.core.errors import Refused
from rules.billing import ONE
from rules.money import ZERO
from rules.pools import Bears, MainReading, PoolKey, PoolScope, unit_price

READINGS = ("main_start", "main_end", "main_factor", "sub_meters", "price")
CHOICES = ("vacant", "unsold", "developer")
MOST_SHOWN = 200  # shares of a preview; all are counted
LONGEST = 20_000


def shared_items() -> dict[str, str]:
    """The names of the active items whose cost is shared, by code."""
    return active_items(FeeItem.basis == "shared")


class PoolView(OfficeView):
    table = Pool
    screen = "pools"
    title = _l("Shared costs")
    empty_hint = _l(
        "Enter what a month's lift, light or pump has cost and who shares it; the shares go into the month's "
        "bills. A fee item for it has the basis “shared cost”."
    )
    icon = "hand-coins"
    can_create = can_edit = can_delete = False
    list_template = "billing/pools.html"
    verbs = {"enter": "act", "save": "act"}
    column_list = ("period", "fee_item.name", "scope", "scope_value", "key", "amount", "state", "note")
    column_hidden = ("correction", "right_amount", "denominator", "vacant", "unsold", "developer")
    column_default_sort = "-period"
    column_labels = {"correction": _l("Of it correction"), "developer": _l("The developer's units")}
    choices = {
        "scope": labels.POOL_SCOPES,
        "key": labels.POOL_KEYS,
        "state": labels.POOL_STATES,
        **dict.fromkeys(CHOICES, labels.BEARS),
    }
    filters = (RelationFilter("fee_item"), ChoiceFilter("state"), ChoiceFilter("key"), TextFilter("period"))
    one_click = (OneClick("open", _l("Not billed"), lambda _view: [Pool.state == "open"]),)
    related = (Related("pool_shares", "pool_id"),)

    @expose("/enter/")
    def enter(self) -> Any:
        """The form; with what was typed, also each unit's share before anything is saved."""
        given: Mapping[str, str] = request.args
        pool = row_access.find_or_404(Pool, given["id"]) if given.get("id") else None
        if pool is not None and "amount" not in given:
            given = {**given, **_typed(pool)}
        if "fee_item" not in given or (pool is not None and "amount" not in request.args):
            return self._page(given, pool)
        return self._page(given, pool, *self._reckoned(given, pool))

    def _reckoned(self, given: Mapping[str, str], pool: Pool | None) -> tuple[Reckoned | None, str]:
        try:
            return pools.reckon(db.session(), _new(given), pool=pool), ""
        except Refused as refusal:
            return None, error_messages.message_for(refusal)

    def _page(
        self,
        given: Mapping[str, str],
        pool: Pool | None,
        reckoned: Reckoned | None = None,
        refusal: str = "",
    ) -> str:
        found = reckoned.shares if reckoned is not None else ()
        page: str = self.render(
            "billing/pool.html",
            given=given,
            pool=pool,
            reckoned=reckoned,
            refusal=refusal,
            shares=found[:MOST_SHOWN],
            total=sum((one.amount for one in found), ZERO),
            without=[one.unit_code for one in found if not one.key],
            price=unit_price(reckoned.amount, reckoned.denominator) if reckoned is not None else ZERO,
            items=shared_items(),
            metered=active_items(FeeItem.basis == "metered"),
            scopes=labels.POOL_SCOPES,
            keys=labels.POOL_KEYS,
            bears=labels.BEARS,
            choices=[
                ("vacant", _("Vacant units")),
                ("unsold", _("Unsold units")),
                ("developer", _("The developer's units")),
            ],
            readings=[
                ("main_start", _("Main meter before")),
                ("main_end", _("Main meter now")),
                ("main_factor", _("Its factor")),
                ("sub_meters", _("Less sub-meters")),
                ("price", _("Yuan a unit")),
            ],
            this_month=f"{self.today():%Y-%m}",
            view=self,
        )
        return page

    @expose("/save/", methods=("POST",))
    @idempotent
    def save(self) -> Any:
        form, session = request.form, db.session()
        pool = row_access.find_or_404(Pool, form["id"]) if form.get("id") else None
        try:
            saved = pools.save(session, _new(form), now=self.now(), staff_id=current_staff().id, pool=pool)
        except Refused as refusal:
            session.rollback()
            return self._page(form, pool, None, error_messages.message_for(refusal)), 422
        session.commit()
        flash(
            _(
                "%(amount)s is shared; it goes into the bills of %(period)s.",
                amount=formats.amount(saved.amount),
                period=saved.period,
            ),
            "success",
        )
        return redirect(url_for("pools.details_view", id=saved.id))

    @office_action("change", _l("Change"), on="row", states=("open",), icon="pencil", verb="act")
    def change(self, rows: Sequence[Pool], _given: Mapping[str, Any]) -> Response:
        return redirect(url_for("pools.enter", id=rows[0].id))  # type: ignore[return-value]

    @office_action("notice", _l("Print the notice"), on="row", icon="printer")
    def notice(self, rows: Sequence[Pool], _given: Mapping[str, Any]) -> Response:
        made, number = pool_papers.print_notice(
            db.session(), rows[0], now=self.now(), staff_id=current_staff().id
        )
        return pdf_response(made, f"{number}.pdf")

    @office_action(
        "correct",
        _l("Correct"),
        on="row",
        states=("billed",),
        icon="scale",
        fields=(
            Ask("right_amount", _l("What it should have come to"), kind="money", is_required=True),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def correct(self, rows: Sequence[Pool], given: Mapping[str, Any]) -> str:
        pools.correct(
            db.session(),
            rows[0],
            amount_of(given["right_amount"], is_zero_allowed=True),
            given["reason"],
            now=self.now(),
            staff_id=current_staff().id,
        )
        return _("The next pool of this item and these units takes the difference.")

    @office_action(
        "cancel",
        _l("Take back"),
        on="row",
        states=("open",),
        icon="ban",
        tone="bad",
        confirm=_l("Take this pool back? No bill will hold its shares."),
    )
    def cancel(self, rows: Sequence[Pool], _given: Mapping[str, Any]) -> str:
        pools.cancel(db.session(), rows[0], now=self.now(), staff_id=current_staff().id)
        return _("The pool was taken back.")


def _typed(pool: Pool) -> dict[str, str]:
    """A pool as it stands in the form."""
    has_reading = pool.main_start is not None
    shown = {name: getattr(pool, name) for name in READINGS} if has_reading else {}
    return {
        "fee_item": pool.fee_item.code,
        "metered_item": pool.metered_item.code if pool.metered_item else "",
        "amount": "" if has_reading else f"{pool.amount - pool.correction:.2f}",
        **{name: f"{value:f}".rstrip("0").rstrip(".") for name, value in shown.items()},
        **{name: getattr(pool, name) for name in ("period", "scope", "scope_value", "key", "note", *CHOICES)},
    }


def _new(given: Mapping[str, str]) -> NewPool:
    """The pool that a form says. Raises Refused."""

    def said(name: str) -> str:
        return given.get(name, "").strip()[:LONGEST]

    try:
        return NewPool(
            period=str(runs.parse_period(said("period"))),
            fee_item=said("fee_item"),
            scope=PoolScope(said("scope")),
            key=PoolKey(said("key")),
            scope_value="" if said("scope") == PoolScope.ESTATE else said("scope_value"),
            amount=amount_of(said("amount")) if said("amount") else None,
            reading=_reading(given),
            metered_item=said("metered_item"),
            vacant=Bears(said("vacant") or Bears.SHARE),
            unsold=Bears(said("unsold") or Bears.SHARE),
            developer=Bears(said("developer") or Bears.SHARE),
            note=said("note")[:500],
        )
    except ValueError as wrong:
        raise Refused(_("Choose one of the list")) from wrong


def _reading(given: Mapping[str, str]) -> MainReading | None:
    """The main meter's readings; none where no box of them is filled. Raises Refused."""
    texts = {name: given.get(name, "").strip() for name in READINGS}
    if not any(texts[name] for name in ("main_start", "main_end", "price")):
        return None
    if not all(texts[name] for name in ("main_start", "main_end", "price")):
        raise Refused(_("Give both readings of the main meter and the price"))

    def number(name: str, places: int, empty: Decimal) -> Decimal:
        if not texts[name]:
            return empty
        try:
            return typed_text.number(texts[name], places, ZERO)
        except ValueError as wrong:
            raise Refused(str(wrong)) from wrong

    factor = number("main_factor", 4, ONE)
    if not factor:
        raise Refused(_("The meter's factor is above zero"))
    return MainReading(
        number("main_start", 4, ZERO),
        number("main_end", 4, ZERO),
        number("price", 6, ZERO),
        factor,
        number("sub_meters", 4, ZERO),
    )


class PoolShareView(OfficeView):
    table = PoolShare
    screen = "pool_shares"
    title = _l("Shares of costs")
    icon = "hand-coins"
    can_create = can_edit = can_delete = False
    column_list = ("pool.period", "pool.fee_item.name", "unit.code", "key_value", "amount")
    column_searchable_list = ("unit.code",)
    column_default_sort = "unit.code"
    filters = (TextFilter("pool.period"),)


SCREENS = (PoolView, PoolShareView)
