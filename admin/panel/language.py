"""Which language a person reads, and the translations compiled from their sources (U3)."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages import mofile, pofile
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, force_locale, get_locale, gettext

TRANSLATIONS = Path(__file__).parents[1] / "translations"
# our code -> the only locales in which Flask-Admin is translated (decisions: Libraries)
LOCALES = {"en": "en", "zh_Hans": "zh_Hans_CN", "zh_Hant": "zh_Hant_TW"}
HTML_CODES = {"en": "en", "zh_Hans": "zh-Hans", "zh_Hant": "zh-Hant"}
# what browsers say for each of them, most exact first
ACCEPTED = {
    "zh-hant": "zh_Hant",
    "zh-tw": "zh_Hant",
    "zh-hk": "zh_Hant",
    "zh-mo": "zh_Hant",
    "zh-hans": "zh_Hans",
    "zh-cn": "zh_Hans",
    "zh-sg": "zh_Hans",
    "zh": "zh_Hans",
    "en": "en",
}


def from_browser() -> str:
    """The first language the browser accepts that we have; English when there is none."""
    for wanted, _quality in request.accept_languages:
        parts = wanted.lower().replace("_", "-").split("-")
        for length in range(len(parts), 0, -1):
            code = ACCEPTED.get("-".join(parts[:length]))
            if code:
                return code
    return "en"


def current() -> str:
    """`en`, `zh_Hans` or `zh_Hant`: the language of what is being shown now."""
    return _code(get_locale())


@cache
def _code(locale: Locale | None) -> str:
    return next((code for code, name in LOCALES.items() if name == str(locale)), "en")


def html_code() -> str:
    """For `<html lang>`."""
    return HTML_CODES[current()]


def select() -> str:
    """The signed-in person's choice, else the browser's wish."""
    if not has_request_context():
        return "en"
    chosen = getattr(g, "language", None)
    return LOCALES[chosen if chosen in LOCALES else from_browser()]


def translate(language: str, sentence: str, /, **values: object) -> str:
    """A sentence in one of our languages, whoever reads the page: for messages to other people."""
    with force_locale(LOCALES.get(language, language)):
        return str(gettext(sentence, **values))


def compile_translations(into: Path) -> Path:
    """Compile each .po newer than its .mo, into a folder; safe when several processes start at once."""
    for source in TRANSLATIONS.glob("*/LC_MESSAGES/*.po"):
        target = (into / source.relative_to(TRANSLATIONS)).with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as file:
            catalogue = pofile.read_po(file, locale=source.parent.parent.name)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as made:
            mofile.write_mo(made, catalogue)
        os.replace(made.name, target)  # noqa: PTH105 -- atomic on every system
    return into


def catalogues(app: Flask) -> Path:
    """The folder of compiled translations: beside their sources, else in the instance."""
    try:
        return compile_translations(TRANSLATIONS)
    except OSError:
        return compile_translations(Path(app.instance_path) / "translations")


def init_app(app: Flask) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(catalogues(app))
    Babel(app, locale_selector=select)
    app.jinja_env.globals.update(html_lang=html_code, current_language=current)
