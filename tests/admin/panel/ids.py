"""Which ids a request may carry, written by hand for each address beside a screen's usual ones (F22).

A new address gets a line here, `-` where it takes no id of anybody's row; a new parameter its name.
`name:kind` says whose id a parameter takes: the name of a screen, or a kind of `Stranger.keys`; what
follows the bar is sent besides, so that nothing but the id can be the reason of a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

OWN_ADDRESSES = """
/tickets/propose/           GET   -
/tickets/incidents/         GET   unit_id:units
/tickets/household/         GET   unit_id:units
/tickets/attach/            POST  id:tickets
/tickets/attachment/        GET   key:ticket_file
/papers/pdf/                GET   id:papers
/estate/letterhead/         GET   -
/estate/code/               POST  -
/calendar_days/preview/     GET   -
/visits/attachment/         GET   key:visit_file
/start/                     GET   -
/board/                     GET   -
/inbox/                     GET   -
/inbox/counts               GET   -
/settings/                  GET   -
/search/                    GET   q:payer_name
/household/                 GET   unit_id:units
/personal_data/             GET   id:owners
/personal_data/known/       POST  id:owners
/personal_data/erase/       POST  id:owners | reason=x
/grid/                      GET   building:buildings
/billing/                   GET   -
/billing/issue/             POST  -
/billing/unbilled/          GET   run:billing_runs
/billing/differences/       GET   -
/billing/differences/issue/ POST  -
/billing/progress/          GET   id:task
/billing/state/             GET   id:task
/billing/file/              POST  id:task
/ledger/                    GET   -
/ledger/make/               POST  -
/ledger/export/             POST  -
/ledger/file/               GET   -
/pools/enter/               GET   id:pools
/take_backs/enter/          GET   -
/take_backs/ask/            POST  -
/pools/save/                POST  id:pools | fee_item=shared period=2026-06 scope=estate key=area amount=1
/meter_round/               GET   building:buildings
/meter_round/save/          POST  id:meters | on=2026-06-30 value=1
/meter_round/odd/           GET   -
/move_in/                   GET   unit_id:units
/move_in/issue/             POST  unit_id:units
/move_in/paper/             POST  id:invoices
/tariffs/notice/            GET   -
/tariffs/notice/            POST  -
/statement_rows/queue/      GET   id:statement_rows decided:statement_rows
/statement_rows/decide/     POST  id:statement_rows unit_code:unit_code
/statement_layouts/save/    POST  -
/direct_debits/make/        POST  -
/direct_debits/file/        POST  -
/direct_debits/answer/      POST  -
/paper_templates/texts/     POST  -
/paper_templates/preview/   POST  -
/billing/notices/           POST  run:billing_runs
/cashier/                   GET   unit_id:units payer_id:owners posted:payments
/cashier/take/ POST unit_id:units payer_id:owners pick:invoices line:invoice_lines | amount=1 method=cash
/cashier/receipt/           POST  id:payments
/unit_charges/                      GET   unit_id:units
/statement_of_account/              GET   unit_id:units payer_id:owners
/statement_of_account/file/         GET   unit_id:units payer_id:owners | kind=csv
/statement_of_account/paper/        POST  unit_id:units payer_id:owners
/statement_of_account/certificate/  POST  unit_id:units payer_id:owners
/day_close/                 GET   cashier_id:other_staff
/day_close/close/           POST  cashier_id:other_staff | counted_cash=0
/call_list/                 GET   -
/call_list/contact/         GET   unit_id:units payer_id:owners reminder_id:reminders
/call_list/enter/    POST  unit_id:units payer_id:owners reminder_id:reminders | method=phone outcome=other
/call_list/enter/           POST  unit_id:units payer_id:owners | method=phone outcome=other
/call_list/phone/           POST  unit_id:units payer_id:owners reminder_id:reminders
/forecast/                  GET   -
/forecast/debt/             GET   number:invoice_number unit_id:units
/limitation/                GET   -
/limitation/file/           GET   -
/change_payer/              GET   unit_id:units
/change_payer/              POST  unit:units owner:owners | on=2026-04-01 kind=owner
/change_payer/ajax/lookup/  GET   -
/contact_quality/           GET   -
/route/                     GET   -
/route/visit/               GET   id:visits
/route/record/              POST  id:visits | satisfaction=5 method=phone
/reports/                   GET   -
/reports/export/<export_type>/  GET   -
/reports/recount/           POST  -
/reports/weekly/            GET   -
/reports/weekly/<export_type>/  GET   -
/reports/views/           GET   -
/reports/views/open/      GET   id:saved_view
/reports/views/change/    POST  id:saved_view staff_id:other_staff | name=x
/reports/views/save/        POST  -
/reports/views/forget/      POST  id:saved_view
/complaint_reports/views/           GET   -
/complaint_reports/views/open/      GET   id:saved_view
/complaint_reports/views/change/    POST  id:saved_view staff_id:other_staff | name=x
/complaint_reports/views/save/    POST  -
/complaint_reports/views/forget/  POST  id:saved_view
/complaint_reports/         GET   -
/complaint_reports/export/<export_type>/  GET   -
/public_form/               GET   -
/policies/                  GET   -
/policies/edit/             GET   -
/policies/edit/             POST  -
/simulate/                  GET   -
/simulate/                  POST  -
/imports/                   GET   -
/imports/template/          GET   -
/imports/preview/           GET   id:task
/imports/errors/            GET   id:task
/imports/differs/           GET   id:task
/imports/mapping/           GET   id:task
/imports/forget/            POST  -
/imports/upload/            POST  -
/imports/map/               POST  id:task
/imports/take/              POST  id:task
/imports/give-up/           POST  id:task
/imports/working/           GET   id:task
/jobs/                      GET   -
/jobs/run/                  POST  -
"""

NEW_PAIRS = frozenset(
    {"/change_payer/", "/statement_rows/decide/"}
)  # what is put together for the first time


@dataclass(frozen=True)
class Address:
    """An address with the parameters that take an id, each with whose, and what else is sent."""

    path: str
    method: str
    ids: tuple[tuple[str, str], ...]
    besides: tuple[tuple[str, str], ...]


def addresses() -> list[Address]:
    found = []
    for line in OWN_ADDRESSES.strip().splitlines():
        said, _bar, besides = line.partition("|")
        path, method, *ids = said.split()
        found.append(Address(path, method, _pairs(ids, ":"), _pairs(besides.split(), "=")))
    return found


def _pairs(words: list[str], between: str) -> tuple[tuple[str, str], ...]:
    return tuple((word.partition(between)[0], word.partition(between)[2]) for word in words if word != "-")
