"""Pages read as a browser reads them."""

from __future__ import annotations

import html
import re


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send back of a policy form that nobody touched."""
    sent: dict[str, str] = {}
    form = page[page.index('" class="form', page.index("<main")) :]
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="([^"]*)"', tag)
        is_ticked = 'type="checkbox"' not in tag or "checked" in tag
        if name and is_ticked:
            value = re.search(r'value="([^"]*)"', tag)
            sent[name[1]] = html.unescape(value[1]) if value else ""
    for name, inside in re.findall(r'<textarea name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        sent[name] = html.unescape(inside)
    for name, inside in re.findall(r'<select name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        sent[name] = html.unescape(chosen[1]) if chosen else ""
    return sent
