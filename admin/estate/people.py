"""Owners, tenants and who pays; departments and staff (P3, P4, P7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as pgettext
from werkzeug.security import generate_password_hash
from wtforms import PasswordField, SelectMultipleField
from wtforms.validators import Length, NumberRange, Optional

from admin.panel import forms, labels
from admin.panel.filters import ChoiceFilter, FlagFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, Related, office_action
from models.base import db
from models.people import (
    MOST_RESIDENTS,
    ROLES,
    Department,
    Occupancy,
    Owner,
    OwnerPhone,
    Staff,
    StaffRole,
)
from models.secrets import fingerprint
from office.access import two_factor
from office.access.sessions import end_sessions
from office.core.errors import Refused
from office.core.staff import is_last_administrator
from office.estate import owners

RESIDENTS_HELP = _l(
    "How many people live there: fee items per person count them. 0: nobody, no charge; empty: not known"
)


class OwnerView(OfficeView):
    table = Owner
    screen = "owners"
    details_template = "estate/owner_details.html"
    title = _l("Owners and tenants")
    empty_hint = _l("Import the roster under “Imports”, or enter the first owner here.")
    icon = "users"
    is_large = True
    column_list = ("name", "kind", "email", "preferred_channel", "tags")
    column_labels = {"name": pgettext("person", "Name")}
    column_searchable_list = ("name", "pinyin_initials")
    search_exact = ("phones.number_mac", "id_number_mac")
    column_default_sort = "name"
    choices = {
        "kind": labels.OWNER_KINDS,
        "preferred_channel": labels.CHANNELS_OUT,
        "language": labels.LANGUAGES,
    }
    filters = (ChoiceFilter("kind"), FlagFilter("is_email_bad"))
    form_columns = (
        "name",
        "kind",
        "id_number",
        "email",
        "is_email_bad",
        "chat_id",
        "is_chat_bad",
        "post_address",
        "preferred_channel",
        "quiet_from",
        "quiet_to",
        "language",
        "tags",
        "note",
    )
    form_sections = (
        (_l("Who"), ("name", "kind", "id_number", "tags")),
        (
            _l("How to reach them"),
            (
                "email",
                "is_email_bad",
                "chat_id",
                "is_chat_bad",
                "post_address",
                "preferred_channel",
                "language",
            ),
        ),
        (_l("When not to"), ("quiet_from", "quiet_to")),
        ("", ("note",)),
    )
    column_descriptions = {
        "quiet_from": _l("HH:MM; nobody calls from then …"),
        "quiet_to": _l("… until then"),
        "tags": _l("Separated by commas, such as VIP, elderly alone, hardship"),
        "id_number": _l("Encrypted; found again only by its whole value"),
    }
    bulk_columns = ("preferred_channel", "language", "tags")
    related = (
        Related("owner_phones", "owner_id"),
        Related("occupancies", "owner_id"),
        Related("invoices", "payer_id"),
        Related("payer_accounts", "owner_id"),
    )

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        row.pinyin_initials = owners.pinyin_initials(row.name)
        row.id_number_mac = fingerprint(row.id_number) if row.id_number else None


class OwnerPhoneView(OfficeView):
    table = OwnerPhone
    screen = "owner_phones"
    title = _l("Phones")
    column_list = ("number", "owner.name", "label", "is_bad")
    column_labels = {"number": _l("Phone")}
    search_exact = ("number_mac",)
    filters = (FlagFilter("is_bad"),)
    form_columns = ("owner", "number", "label", "is_bad", "position")

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        row.number_mac = fingerprint(row.number)


class OccupancyView(OfficeView):
    table = Occupancy
    screen = "occupancies"
    title = _l("Occupancies")
    empty_hint = _l("Import the roster under “Imports”, or enter who moved in under “Change of owner”.")
    icon = "key-round"
    is_large = True
    column_list = ("unit.code", "owner.name", "kind", "is_payer", "from_on", "to_on", "residents")
    column_searchable_list = ("unit.code", "owner.name", "owner.pinyin_initials")
    column_default_sort = "-from_on"
    choices = {"kind": labels.OCCUPANCY_KINDS}
    filters = (ChoiceFilter("kind"), FlagFilter("is_payer"))
    form_columns = ("unit", "owner", "kind", "is_payer", "from_on", "to_on", "residents")
    column_descriptions = {
        "is_payer": _l("Pays the fees; a unit has one payer at a time"),
        "to_on": _l("The last day; empty: until further notice"),
        "residents": RESIDENTS_HELP,
    }
    form_args = {"residents": {"validators": [NumberRange(min=0, max=MOST_RESIDENTS)]}}


class DepartmentView(OfficeView):
    table = Department
    screen = "departments"
    title = _l("Departments")
    empty_hint = _l("Enter the departments that complaints are given to.")
    icon = "network"
    column_list = ("code", "name", "email", "position")
    column_default_sort = "position"
    form_columns = ("code", "name_en", "name_zh_hans", "name_zh_hant", "email", "position")
    related = (Related("staff", "department_id"),)


class StaffView(OfficeView):
    table = Staff
    screen = "staff"
    title = _l("Staff")
    icon = "id-card"
    can_delete = can_import = False  # passwords and roles are given one by one
    column_list = ("name", "login", "department.name", "is_active", "has_alerts")
    column_computed = {"has_alerts": lambda staff: staff.alert_url.is_not(None)}
    one_click = (
        OneClick(
            "no_alerts",
            _l("Alerts do not reach them"),
            lambda _view: [Staff.is_active.is_(True), Staff.alert_url.is_(None)],
        ),
    )
    column_labels = {
        "name": pgettext("person", "Name"),
        "department.name": _l("Own department"),
        "department": _l("Own department"),
    }
    column_searchable_list = ("name", "login")
    column_default_sort = "name"
    choices = {"language": labels.LANGUAGES}
    filters = (FlagFilter("is_active"), RelationFilter("department"))
    form_columns = (
        "name",
        "login",
        "email",
        "phone",
        "language",
        "department",
        "chosen_roles",
        "buildings",
        "new_password",
        "is_active",
    )
    form_extra_fields = {
        "chosen_roles": SelectMultipleField(
            _l("Roles"), choices=[(code, labels.ROLES[code]) for code in ROLES], widget=forms.CheckList()
        ),
        "new_password": PasswordField(_l("New password"), [Optional(), Length(10, 200)]),
    }
    form_sections = (
        (_l("Who"), ("name", "login", "email", "phone", "language")),
        (_l("What they do"), ("department", "chosen_roles", "buildings")),
        (_l("Signing in"), ("new_password", "is_active")),
    )
    details_template = "estate/staff_details.html"
    column_descriptions = {
        "buildings": _l("For stewards: the buildings they answer for; none: the whole estate"),
        "new_password": _l(
            "At least 10 characters; empty: stays as it is. It must be changed at the first sign-in."
        ),
    }

    def record_actions(self, row: Staff) -> list[Any]:
        found = super().record_actions(row)
        return [each for each in found if each.code != "second_step_off" or row.totp_secret]

    @office_action(
        "second_step_off",
        _l("Switch off the second step"),
        on="row",
        icon="key-round",
        confirm=_l("Let this person sign in with the password alone until a new app is set up?"),
        tone="bad",
    )
    def second_step_off(self, rows: Sequence[Staff], _given: Any) -> str:
        for row in rows:
            two_factor.switch_off(db.session(), row, now=self.now(), by_id=current_staff().id)
            end_sessions(db.session(), row.id)
        return _("The second step is off; this person signs in again.")

    def on_form_prefill(self, form: Any, id: Any) -> None:  # noqa: A002 -- Flask-Admin's name
        """Show the roles that the person has."""
        row = self.get_one(id)
        if row is not None:
            form.chosen_roles.data = sorted(row.roles)

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: FBT001 -- the base's hook
        chosen = set(form.chosen_roles.data or ())
        if not ("it_admin" in chosen and row.is_active) and is_last_administrator(db.session(), row.id):
            raise Refused(_("Somebody must administer the system: name another IT administrator first"))
        kept = [each for each in row.role_rows if each.role in chosen]
        row.role_rows = kept + [StaffRole(role=role) for role in chosen - {each.role for each in kept}]
        if form.new_password.data:
            row.password_hash = generate_password_hash(form.new_password.data)
            row.must_change_password = True
        elif is_new:
            raise Refused(_("A new member of staff needs a first password"))

    def after_save(self, row: Any, is_new: bool) -> None:  # noqa: FBT001 -- the base's hook
        """Whoever is signed in as this person signs in again with what now holds (F15)."""
        if not is_new and row.id != current_staff().id:
            end_sessions(db.session(), row.id)


SCREENS = (OwnerView, OwnerPhoneView, OccupancyView, DepartmentView, StaffView)
