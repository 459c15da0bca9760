"""The public complaint form by link or QR code, and where a complaint stands; its poster for the office (T1).

Off until the policy turns it on: then every address here is as if it did not exist. Without a session nothing
of the office's data is shown but the names of the categories.
"""

from __future__ import annotations

import io
import secrets
from typing import Any

from flask import Blueprint, Flask, abort, flash, redirect, render_template, request, session, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from werkzeug.wrappers import Response
from wtforms import (
    BooleanField,
    MultipleFileField,
    StringField,
    TextAreaField,
    validators,
)

from admin.complaints.files import chosen_files
from admin.panel import error_messages, forms, language, request_values
from admin.panel.permissions import may
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.complaints import Category, Ticket
from models.people import LANGUAGES
from models.property import Estate
from office.complaints import public_form
from office.complaints.public_form import Submission
from office.core import clock
from office.core.errors import Refused
from rules.public_form import PublicForm
from rules.severity import Facts

LARGEST_BODY = 55 * 1024 * 1024  # five files of ten megabytes and the text: more is not even read
TICKS = ("happening_now", "is_injury", "about_staff_conduct")
STEPS = {
    "register": _l("Registered"),
    "assign": _l("Given to the department"),
    "start": _l("Being worked on"),
    "resolve": _l("Resolved"),
    "resolve_on_spot": _l("Resolved"),
    "follow_up": _l("You were asked whether you are satisfied"),
    "reopen": _l("Taken up again"),
    "close": _l("Closed"),
    "close_unreachable": _l("Closed: we could not reach you"),
    "close_by_decision": _l("Closed"),
    "approve_invalid": _l("Closed: this office can't decide it; you are told why"),
}

entrance = Blueprint("public", __name__, url_prefix="/public/complaint")


def init_app(app: Flask) -> None:
    app.register_blueprint(entrance)


@entrance.url_value_preprocessor
def bound(_endpoint: str | None, _values: Any) -> None:
    """Before anything of a request is read: no more than a form with its files."""
    request.max_content_length = LARGEST_BODY


def policy_in_use() -> PublicForm:
    """The form's policy; 404 while it is off."""
    found = public_form.form_policy(db.session(), clock.now(db.session()))
    if not found.is_on:
        abort(404)
    return found


def typed_form(policy: PublicForm, formdata: Any = None) -> Any:
    class Complaint(forms.OfficeForm):
        category = forms.ChoiceField(_l("What is it about?"), labels=categories(), allow_blank=True)
        statement = TextAreaField(
            _l("What happened"), [validators.InputRequired(), validators.Length(max=5000)]
        )
        wish = TextAreaField(_l("What do you ask for?"), [validators.Length(max=2000)])
        unit_code = StringField(
            _l("Your unit no."), [validators.Length(max=40)], description=_l("Leave empty if you prefer")
        )
        place = StringField(_l("Where it happened"), [validators.Length(max=120)])
        name = StringField(_l("Your name"), [validators.Length(max=120)])
        phone = StringField(_l("Your phone"), [validators.Length(max=40)])
        is_anonymous = BooleanField(_l("I do not want to give my name"))
        household_count = forms.WholeField(
            _l("Households complaining together"),
            [validators.NumberRange(min=1, max=1000)],
            default=1,
        )
        files = MultipleFileField(
            _l("Pictures"),
            description=_(
                "Up to %(count)s files of %(size)s MB each",
                count=policy.most_files,
                size=policy.largest_mb,
            ),
        )

    for name, label in ticks().items():
        setattr(Complaint, name, BooleanField(label))
    return Complaint(formdata)


def ticks() -> dict[str, Any]:
    return {
        "happening_now": _l("It is happening now"),
        "is_injury": _l("Somebody was hurt"),
        "about_staff_conduct": _l("It is about how staff behaved"),
    }


def categories() -> dict[str, str]:
    """The categories in use by their own names; departments and people stay inside."""
    found = db.session.scalars(
        select(Category).where(Category.is_active).order_by(Category.position, Category.id)
    )
    return {category.code: category.name_in(language.current()) for category in found}


@entrance.route("/", methods=["GET", "POST"])
def form() -> Any:
    """The form; what is refused stays typed, sending it twice registers it once."""
    policy = policy_in_use()
    if _chooses_language():
        return redirect(url_for("public.form"))
    given: MultiDict[str, Any] | None = None
    if request.method == "POST":
        given = CombinedMultiDict[str, Any]([request.files, request.form])
    asked = typed_form(policy, given)
    status, new_key = 200, secrets.token_urlsafe(16)
    if request.method == "POST":
        answer = _take(policy, asked)
        if isinstance(answer, Response):
            return answer
        status = answer
    page = render_template(
        "complaints/public_form.html",
        form=asked,
        ticks=TICKS,
        policy=policy,
        key=new_key if status == 409 else request.form.get("key", "")[:60] or new_key,
        estate_name=estate_name(),
    )
    return page, status


def _take(policy: PublicForm, asked: Any) -> Response | int:
    """Register what was sent and lead on to its number, or the status with which it stays on the page."""
    key = request.form.get("key", "")[:60]
    if request.form.get("website") or not key:  # a field that no person sees, and one that each form has
        return redirect(url_for("public.form"))
    if not asked.validate():
        return 422
    if (sent := public_form.sent_before(db.session(), key)) is not None:
        return _sent_already(sent, asked)
    try:
        public_form.count_submission(db.session(), policy, request.remote_addr or "", clock.machine_now())
        db.session.commit()
        ticket = public_form.submit(
            db.session(), policy, _submission(policy, asked), clock.now(db.session()), form_key=key
        )
        number = ticket.number
        db.session.commit()
    except IntegrityError:  # the same form, sent at the same moment
        db.session.rollback()
        if (sent := public_form.sent_before(db.session(), key)) is None:
            raise
        return _sent_already(sent, asked)
    except Refused as refused:
        is_flood = isinstance(refused, public_form.TooManyRequests)
        (db.session.commit if is_flood else db.session.rollback)()  # a flood counts
        flash(error_messages.message_for(refused), "error")
        return 429 if is_flood else 422
    session["complaint"] = number
    return redirect(url_for("public.done"))


def _sent_already(sent: Ticket, asked: Any) -> Response | int:
    """A form that comes again (double click, reload, back) leads to its number; with another text it asks."""
    if sent.statement == (asked.statement.data or "").strip():
        session["complaint"] = sent.number
        return redirect(url_for("public.done"))
    flash(_("You have sent this form already. Send it once more if this is another matter."), "info")
    return 409


def _submission(policy: PublicForm, asked: Any) -> Submission:
    most = policy.largest_mb * public_form.MEGABYTE + 1
    files = chosen_files(asked.files.data)
    return Submission(
        statement=asked.statement.data,
        category=asked.category.data or "",
        unit_code=(asked.unit_code.data or "").strip(),
        place=(asked.place.data or "").strip(),
        wish=(asked.wish.data or "").strip(),
        name=(asked.name.data or "").strip(),
        phone=(asked.phone.data or "").strip(),
        is_anonymous=bool(asked.is_anonymous.data),
        facts=Facts(
            household_count=asked.household_count.data or 1,
            happening_now=bool(asked.happening_now.data),
            is_injury=bool(asked.is_injury.data),
            about_staff_conduct=bool(asked.about_staff_conduct.data),
        ),
        files=[(file.filename or "", file.read(most)) for file in files],
    )


@entrance.get("/done/")
def done() -> Any:
    """The number and the code, shown to the browser that sent the complaint."""
    policy_in_use()
    number = session.get("complaint")
    if not isinstance(number, str):
        return redirect(url_for("public.form"))
    return render_template(
        "complaints/public_done.html",
        number=number,
        code=public_form.tracking_code(number),
        estate_name=estate_name(),
    )


@entrance.route("/track/", methods=["GET", "POST"])
def track() -> Any:
    """Where a complaint stands, for who has its number and code."""
    policy = policy_in_use()
    if _chooses_language():
        return redirect(url_for("public.track"))
    found, status = None, 200
    number, code = request.form.get("number", ""), request.form.get("code", "")
    if request.method == "POST":
        try:
            public_form.count_status_request(
                db.session(), policy, request.remote_addr or "", clock.machine_now()
            )
            db.session.commit()
            if not request_values.is_clean(number + code):
                abort(400)
            found = public_form.ticket_status(db.session(), number.strip()[:40], code[:40])
        except public_form.TooManyRequests as refused:
            db.session.commit()
            flash(error_messages.message_for(refused), "error")
            status = 429
        except Refused as refused:
            flash(error_messages.message_for(refused), "error")
            status = 422
    known = number or session.get("complaint", "")
    page = render_template(
        "complaints/public_track.html", found=found, number=known, steps=STEPS, estate_name=estate_name()
    )
    return page, status


def estate_name() -> str:
    """The estate's name in the reader's language; empty before the set-up."""
    estate = db.session.scalar(select(Estate))
    return estate.in_language("name", language.current()) if estate else ""


def _chooses_language() -> bool:
    chosen = request.args.get("language")
    if chosen not in LANGUAGES:
        return False
    session["language"] = chosen
    return True


class PublicFormPage(OfficePage):
    """For the office: whether the form is on, its link, and a poster with the QR code."""

    screen = "public_form"
    title = _l("Public complaint form")
    icon = "qr-code"

    @expose("/")
    def index(self) -> Any:
        policy = public_form.form_policy(db.session(), self.now())
        address = public_address(db.session.scalar(select(Estate.public_address)) or "")
        return self.render(
            "complaints/public_poster.html",
            policy=policy,
            address=address,
            picture=qr_code(address) if address else "",
            estate_name=estate_name(),
            may_change=may(current_staff().roles, "policies", "act"),
        )


def public_address(set_by_office: str) -> str:
    """Where residents find the form, under the address that the office has set; empty without one.

    What the browser of a clerk calls this machine may be a name that no phone in the street knows (D9).
    """
    host = set_by_office.strip().rstrip("/")
    if not host:
        return ""
    return (host if "://" in host else f"https://{host}") + url_for("public.form")


def qr_code(address: str) -> Markup:
    """A QR code as inline SVG."""
    import segno  # only who prints the code needs it

    drawn = io.BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=6, xmldecl=False, omitsize=True, nl=False)
    return Markup(drawn.getvalue().decode())  # noqa: S704 -- drawn here from our own address


SCREENS = (PublicFormPage,)
