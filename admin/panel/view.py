"""OfficeView: the screen of a table. A screen declares what it shows; the toolkit does the rest.

    class TariffView(OfficeView):
        table = Tariff                                       # the model
        screen = "tariffs"                                   # its address, and its row in permissions.py
        title, icon = _l("Tariffs"), "tag"
        column_list = ("fee_item.name", "unit_kind", "rate", "valid_from")
        choices = {"unit_kind": labels.UNIT_KINDS}           # code → label: list, filter and form alike
        filters = (ChoiceFilter("unit_kind"), RelationFilter("fee_item"), RangeFilter("valid_from"))
        one_click = (OneClick("current", _l("In force"), lambda view: [Tariff.valid_to.is_(None)]),)
        form_columns = ("fee_item", "unit_kind", "rate", "valid_from")

Each option is explained in table_options.py. A screen is listed in `SCREENS` of its file.

**Which file does what.** Each class adds one idea to that of the file before; side by side they would hide
each other's pages, because Flask-Admin copies inherited view functions into every class.
    screen.py          every screen: menu, permissions, time; OfficePage is a screen without a table
    table_options.py   the options; what Flask-Admin would otherwise derive from the model
    table_screen.py    columns; which rows the signed-in person may touch (`scope`, see row_access.py)
    actions.py         actions on records
    list_page.py       the list: list_query.py reads the address, filters.py and search.py make conditions,
                       paging.py reads one page, row_counts.py counts, table_rows.py renders
    record_page.py     one record: values, related rows, history, revealing a masked value
    record_forms.py    creating, changing, deleting; form_converter.py makes fields, forms.py and pickers.py
                       are their kinds. Hooks: `before_save(form, row, is_new)`, `after_save(row, is_new)`
    inline_edit.py     one cell of a list; what pickers offer
    bulk_edit.py       several rows together
    list_exports.py    the list as a file

**An action** calls one verb of the office. The toolkit checks the role, loads the rows in scope, asks for
confirmation and for `fields`, writes the audit row, commits, flashes what is returned, words a `Refused`.
        @office_action("void", _l("Void"), confirm=_l("Void these receipts?"), tone="bad",
                       fields=(Ask("reason", _l("Reason"), is_required=True),))
        def void(self, rows, given):
            payments.void(db.session(), rows, reason=given["reason"], staff=current_staff(), now=self.now())
            return _("%(count)s receipts were voided.", count=len(rows))     # or a Response

**A page of its own** beside the table has `@expose("/close/", methods=("GET", "POST"))` and, if the default
doesn't fit, its verb in `verbs = {"close_view": "act"}`. Each POST form holds `{{ csrf_field() }}`; one that
must be processed once `{{ idempotency_field() }}`, with `@idempotent` under `@expose`. `data-confirm="…"`
asks before a form is sent. The content security policy blocks inline scripts and `on…` attributes: put
scripts into static/ or write `<script nonce="{{ csp_nonce() }}">`.
"""

from __future__ import annotations

from admin.panel.actions import Action, Ask, office_action, read_asked
from admin.panel.filters import (
    ChoiceFilter,
    FlagFilter,
    IsFilter,
    OneClick,
    RangeFilter,
    RelationFilter,
    TextFilter,
)
from admin.panel.list_exports import ListExports
from admin.panel.screen import OfficePage
from admin.panel.table_options import Related


class OfficeView(ListExports):
    """A table's screen with its list, records, forms, actions and exports."""


__all__ = [
    "Action",
    "Ask",
    "ChoiceFilter",
    "FlagFilter",
    "IsFilter",
    "OfficePage",
    "OfficeView",
    "OneClick",
    "RangeFilter",
    "Related",
    "RelationFilter",
    "TextFilter",
    "office_action",
    "read_asked",
]
