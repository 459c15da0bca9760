"""Words that several screens of this room show."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from admin.panel import labels

CHANNELS = {**labels.CHANNELS_OUT, **labels.CONTACT_METHODS}
CONTACT_MARKS = {
    "no_phone": _l("No working phone"),
    "phone_bad": _l("A phone number does not work"),
    "email_bad": _l("The e-mail address does not work"),
}
