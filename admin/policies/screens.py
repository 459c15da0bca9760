"""The screens of this room."""

from __future__ import annotations

from admin.policies import calendar_days, document_templates, editor, whatif

SCREENS = (
    *editor.SCREENS,
    *document_templates.SCREENS,
    *whatif.SCREENS,
    *calendar_days.SCREENS,
)
