"""Who may do what where, written by hand from the duties of P7's roles: what F4 is judged by.

Never derive this from admin/panel/permissions.py: the two are kept apart, so that a slip in one is found
by the other.
A new screen gets a line in SCREENS, a new address beside a screen's usual ones a line in OWN_ADDRESSES.

Letters: `s` see, `c` create, `e` edit, `d` delete, `a` act, `x` export; a dash is nothing. A cell says what a
role can really do: a letter is there only if the screen offers it;
`p` is proposing a plan, an action of who may not run the others. `i` and `b` after the name say that
some fields can be edited in the list, or of many rows together, by whoever may edit.
"""

from __future__ import annotations


def words(text: str) -> list[str]:
    return text.split()


ROLES = (
    "it_admin",
    "manager",
    "director",
    "station_head",
    "front_desk",
    "steward",
    "cashier",
    "department_lead",
)

SCREENS = """
                    it_admin  manager  director  station  desk    steward  cashier  lead
# property
estate              se        se       s         -        -       -        -        -
calendar_days       scedx     scedx    s         sce      s       s        s        s
areas i             scedx     scedx    s         sx       s       s        s        s
buildings i         scedx     scedx    s         sx       s       s        s        s
units b             scedx     scedx    s         scex     se      s        s        s
desk_hints          scedx     scedx    -         scedx    sce     sce      -        s
# people
owners b            scedax    scedax   sx        sceax    scea    sea      sea      -
owner_phones        scedax    scedax   -         scedax   scea    scea     scea     -
occupancies         scedx     scedx    s         scex     sce     s        s        -
vehicles            scedax    scedax   sx        sceax    scea    s        sceax    -
departments         scedx     scedx    s         s        s       s        s        s
staff               scaex     sx       sx        s        -       -        -        -
# bills
fee_items           scedx     scedx    s         s        s       s        sx       s
tariffs             scedx     scedx    s         s        s       s        sx       s
item_rates          scex      scex     s         s        s       s        sx       -
item_payers         scex      scex     s         s        s       s        scex     -
contracts           scex      scex     sx        s        -       -        sx       -
rent_changes        scex      scex     sx        s        -       -        sx       -
vacancies           scax      scax     sax       sca      sc      sc       scx      -
pools               sax       sax      sx        s        s       -        sax      -
pool_shares         sx        sx       sx        s        s       s        sx       -
meters              scedx     scedx    -         scex     -       s        scex     -
meter_readings      scedx     scedx    -         scex     -       sc       scex     -
service_slips       scedx     scedx    -         scex     sce     sc       scex     -
invoices            sax       sax      sx        sax      s       sx       sax      -
invoice_lines       sx        sx       sx        s        s       s        sx       -
credit_notes        sax       sax      sx        s        -       -        sax      -
late_fee_waivers    sx        sx       sx        -        -       -        s        -
incentives          scedax    scedax   s         s        s       s        sa       s
deposits            sax       sax      sx        -        -       -        sax      -
billing_runs        sx        sx       sx        -        -       -        sx       -
take_backs          sx        sax       sax       -        -       -        sax      -
taken_bills         sx        sx        sx        -        -       -        sx       -
waiver_requests     s         sax      sax       s        -       -        s        -
incentive_grants    sx        sax      sx        -        -       -        sa       -
statement_layouts   sdax      sdax     s         -        -       -        sdax     -
direct_debits       sax       sax      sx        -        -       -        sax      -
direct_debit_rows   sax       sax      sx        -        -       -        sax      -
payer_accounts      sdx       sdx      s         -        -       -        sdx      -
debit_mandates      scex      scex     -         -        sce     -        scex     -
# money
payments            sax       sax      sx        sx       -       s        sax      -
allocations         sx        sx       sx        -        -       -        sx       -
earmarks            sax       sax      sx        -        -       -        sax      -
cheques             sax       sax      sx        -        -       -        sax      -
ledger_accounts     sceax     sceax    sx        -        -       -        sceax    -
vouchers            sax       sax      sx        -        -       -        sax      -
voucher_lines       sx        sx       sx        -        -       -        sx       -
voucher_sources     sx        sx       sx        -        -       -        sx       -
statement_rows      sax       sax      sx        -        -       -        sax      -
day_closes          sax       sax      sx        -        -       -        sax      -
day_reopenings      s         sax      sax       -        -       -        s        -
day_close_lines     s         s        s         -        -       -        s        -
# arrears
reminder_batches    sax       sax      sx        sax      -       sa       sx       -
reminders           sax       sax      sx        sax      -       sa       sx       -
contacts            sx        sx       sx        sx       s       s        s        -
ladder_holds        sx        sax      sx        sax      -       s        s        -
opening_texts       scedx     scedx    s         scedx    s       s        s        s
instalment_plans    sapx      sapx     sx        sapx     -       spx      sapx     -
instalments         sx        sx       sx        sx       -       s        sx       -
restrictions        sx        sax      sax       sax      -       sa       -        -
legal_cases         sx        sax      sax       sax      -       -        -        -
public_notices      sx        sax      sax       -        -       -        -        -
# complaints
tickets             scax      sceax    sax       sceax    sceax   sca      sc       sax
incidents           scex      sceax    sx       sceax    scea    s        s        s
incident_tickets    sx        sx       sx        sx       s       s        s        s
ticket_clocks       sx        sx       sx        s        s       s        s        s
escalations         sx        sx       sx        sx       s       s        s        s
complainants        s         sa       -         sa       sa      -        -        -
work_slips          sax       sax      -         sax      sax     -        -        sax
invalid_requests    s         sax      sax       sax      s       -        -        -
review_meetings     sx        sx       sx        sx       -       -        -        -
case_library        scedx     scedx    s         scex     s       s        s        s
categories          scedx     scedx    s         s        s       s        s        s
# visits
visits              sax       sax      sx        sax      sax     sa       -        -
# reports
targets             scedx     scedx    scedx     -        -       -        -        -
# policies
paper_templates     sex       sex      s         s        s       s        s        s
# office
audit               sx        sx       sx        -        -       -        -        -
job_runs            sx        sx       s         -        -       -        -        -
outbox              sax       sax      -         sax      -       -        -        -
papers              sx        sx       -         s        -       -        s        -
# hand-made pages
start               s         s        s         s        s       s        s        s
board               s         s        s         s        s       s        s        s
search              s         s        s         s        s       s        s        s
inbox               s         s        s         s        s       s        s        s
settings            s         s        s         s        s       s        s        s
household           s         s        s         s        s       s        s        s
personal_data       sax       sax      -         -        -       -        -        -
grid                s         s        s         s        s       s        s        s
billing             sa        sa       -         -        -       -        sa       -
meter_round         sc        sc       -         sc       -       sc       sc       -
move_in             sa        sa       -         sa       s       -        sa       -
cashier             sa        sa       -         -        -       -        sa       -
day_close           s         sa       -         -        -       -        sa       -
call_list           s         sa       -         sa       -       sa       sa       -
forecast            s         s        s         s        s       s        s        -
limitation          sx        sx       sx        sx       -       s        sx       -
unit_charges          s       s        s         s        -       s        s        -
statement_of_account  sax     sax      sx        sax      -       s        sax      -
ledger              sax       sax      sx        -        -       -        sax      -
change_payer        sa        sa       -         sa       sa      -        -        -
contact_quality     s         s        -         s        s       s        -        -
route               sa        sa       sa        sa       sa      sa       sa       sa
reports             sx        sax      sax       sx       -       -        s        s
complaint_reports   sx        sx       sx        sx       -       -        -        s
public_form         s         s        s         s        s       -        -        -
policies            sa        sa       sa        s        s       s        s        s
simulate            sa        sa       sa        -        -       -        -        -
imports             sa        sa       -         -        -       -        sa       -
jobs                sa        s        s         -        -       -        -        -
"""

# what a table's screen has at its address: path, method, the letter it takes
USUAL_ADDRESSES = (
    ("", "GET", "s"),
    ("details/", "GET", "s"),
    ("ajax/lookup/", "GET", "s"),
    ("peek/", "GET", "s"),
    ("totals/", "GET", "s"),
    ("arrange/", "POST", "s"),
    ("views/", "GET", "s"),
    ("views/open/", "GET", "s"),
    ("views/start/", "POST", "s"),
    ("views/change/", "POST", "s"),
    ("views/save/", "POST", "s"),
    ("views/forget/", "POST", "s"),
    ("export/<export_type>/", "GET", "x"),
    ("exported/", "GET", "x"),
    ("new/", "GET", "c"),
    ("new/", "POST", "c"),
    ("edit/", "GET", "e"),
    ("edit/", "POST", "e"),
    ("ajax/update/", "POST", "i"),
    ("bulk/", "POST", "b"),
    ("undo/", "POST", "e"),
    ("delete/", "POST", "d"),
    ("action/", "POST", "a"),
    ("acted/", "GET", "s"),
    ("reveal/", "POST", "a"),
)

# what a request must say to get beyond its address
FIELDS = {"i": {"name": "position"}, "/imports/upload/": {"kind": "payments"}}

# screens made by hand, whose addresses are all listed below
PAGES = words(
    "start inbox settings board search household personal_data grid billing meter_round move_in cashier "
    "day_close call_list forecast change_payer contact_quality route reports complaint_reports "
    "public_form policies simulate imports jobs statement_of_account unit_charges limitation ledger "
)

OWN_ADDRESSES = """
/tickets/propose/           GET   c
/tickets/incidents/         GET   c
/tickets/household/         GET   c
/tickets/attach/            POST  a
/tickets/attachment/        GET   s
/papers/pdf/                GET   s
/estate/letterhead/         GET   s
/estate/code/               POST  e
/calendar_days/preview/     GET   s
/visits/attachment/         GET   s
/start/                     GET   s
/board/                     GET   s
/search/                    GET   s
/inbox/                     GET   s
/inbox/counts               GET   s
/settings/                  GET   s
/household/                 GET   s
/personal_data/             GET   s
/personal_data/known/       POST  x
/personal_data/erase/       POST  a
/grid/                      GET   s
/billing/                   GET   s
/billing/issue/             POST  a
/billing/unbilled/          GET   s
/billing/differences/       GET   s
/billing/differences/issue/ POST  a
/billing/progress/          GET   s
/billing/state/             GET   s
/billing/file/              POST  a
/ledger/                    GET   s
/ledger/make/               POST  a
/ledger/export/             POST  a
/ledger/file/               GET   x
/pools/enter/               GET   a
/take_backs/enter/          GET   a
/take_backs/ask/            POST  a
/pools/save/                POST  a
/meter_round/               GET   s
/meter_round/save/          POST  c
/meter_round/odd/           GET   s
/move_in/                   GET   s
/move_in/issue/             POST  a
/move_in/paper/             POST  a
/tariffs/notice/            GET   x
/tariffs/notice/            POST  x
/statement_rows/queue/      GET   s
/statement_rows/decide/     POST  a
/statement_layouts/save/    POST  a
/direct_debits/make/        POST  a
/direct_debits/file/        POST  a
/direct_debits/answer/      POST  a
/paper_templates/texts/     POST  e
/paper_templates/preview/   POST  s
/billing/notices/           POST  a
/cashier/                   GET   s
/cashier/take/              POST  a
/cashier/receipt/           POST  a
/unit_charges/                    GET   s
/statement_of_account/            GET   s
/statement_of_account/file/       GET   x
/statement_of_account/paper/      POST  a
/statement_of_account/certificate/  POST  a
/day_close/                 GET   s
/day_close/close/           POST  a
/call_list/                 GET   s
/call_list/contact/         GET   s
/call_list/enter/           POST  a
/call_list/phone/           POST  a
/forecast/                  GET   s
/forecast/debt/             GET   s
/limitation/                GET   s
/limitation/file/           GET   x
/change_payer/              GET   s
/change_payer/              POST  a
/change_payer/ajax/lookup/  GET   s
/contact_quality/           GET   s
/route/                     GET   s
/route/visit/               GET   s
/route/record/              POST  a
/reports/                   GET   s
/reports/export/<export_type>/  GET   x
/reports/recount/           POST  a
/reports/weekly/            GET   s
/reports/weekly/<export_type>/  GET   x
/reports/views/           GET   s
/reports/views/open/      GET   s
/reports/views/change/    POST  s
/reports/views/save/        POST  s
/reports/views/forget/      POST  s
/complaint_reports/views/           GET   s
/complaint_reports/views/open/      GET   s
/complaint_reports/views/change/    POST  s
/complaint_reports/views/save/    POST  s
/complaint_reports/views/forget/  POST  s
/complaint_reports/         GET   s
/complaint_reports/export/<export_type>/  GET   x
/public_form/               GET   s
/policies/                  GET   s
/policies/edit/             GET   s
/policies/edit/             POST  a
/simulate/                  GET   s
/simulate/                  POST  a
/imports/                   GET   s
/imports/template/          GET   s
/imports/preview/           GET   s
/imports/errors/            GET   s
/imports/differs/           GET   s
/imports/mapping/           GET   s
/imports/forget/            POST  a
/imports/upload/            POST  a
/imports/map/               POST  a
/imports/take/              POST  a
/imports/give-up/           POST  a
/imports/working/           GET   s
/jobs/                      GET   s
/jobs/run/                  POST  a
"""

# everyone who is signed in; public ones answer without a session too
OPEN_ADDRESSES = """
/                                   GET   signed-in
/account                            GET   signed-in
/account                            POST  signed-in
/account/alerts                     GET   signed-in
/account/alerts                     POST  signed-in
/account/second-step                GET   signed-in
/account/second-step                POST  signed-in
/preferences                        POST  signed-in
/logout                             POST  signed-in
/login                              GET   public
/login                              POST  public
/kept                               GET   signed-in
/healthz                            GET   public
/public/complaint/                  GET   public
/public/complaint/                  POST  public
/public/complaint/done/             GET   public
/public/complaint/track/            GET   public
/public/complaint/track/            POST  public
/static/<path:filename>             GET   public
/static/admin/<path:filename>       GET   public
"""

# whose rows: what each role reaches of the row that hangs on a unit or a complaint.
# own: the steward's building, the complaint that one took; foreign: another steward's, another's complaint.
ROWS_OF_UNITS = words(
    "owners owner_phones occupancies meters meter_readings service_slips invoices invoice_lines payments "
    "reminders reminder_batches contacts ladder_holds instalment_plans instalments restrictions household"
)
ROWS_OF_COMPLAINTS = words(
    "tickets ticket_clocks escalations complainants work_slips invalid_requests review_meetings"
)
READ_ONLY_OWN_UNITS = {"steward"}
READ_ONLY_OWN_COMPLAINTS = {"steward", "cashier", "department_lead"}


def cells() -> dict[str, dict[str, str]]:
    """The table as screen → role → letters, `i` and `b` added to who edits where the screen has them."""
    found = {}
    for line in SCREENS.strip().splitlines()[1:]:
        if line.startswith("#"):
            continue
        name, *rest = line.split()
        marks = rest.pop(0) if rest[0] in {"i", "b", "ib"} else ""
        assert len(rest) == len(ROLES), line
        found[name] = {
            role: letters.strip("-") + (marks if "e" in letters else "")
            for role, letters in zip(ROLES, rest, strict=True)
        }
    return found


def addresses() -> dict[tuple[str, str], tuple[str, str]]:
    """(address, method) → (screen, letter) of every address that takes a role."""
    table = cells()
    found = {
        (f"/{screen}/{path}", method): (screen, letter)
        for screen in table
        if screen not in PAGES
        for path, method, letter in USUAL_ADDRESSES
    }
    for line in OWN_ADDRESSES.strip().splitlines():
        path, method, letter = line.split()
        found[path, method] = (path.split("/")[1], letter)
    return found


def open_addresses() -> dict[tuple[str, str], str]:
    lines = (line.split() for line in OPEN_ADDRESSES.strip().splitlines())
    return {(path, method): kind for path, method, kind in lines}
