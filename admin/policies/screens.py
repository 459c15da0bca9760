"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.policies import calendar_days, document_templates, editor, whatif

SCREENS = (
    *editor.SCREENS,
    *document_templates.SCREENS,
    *whatif.SCREENS,
    *calendar_days.SCREENS,
)
