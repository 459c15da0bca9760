"""The office's own texts of papers: a field for each block, what is filled in, a preview (§10)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import labels, request_values, wording
from admin.panel.audit import record
from admin.panel.filters import ChoiceFilter
from admin.panel.responses import pdf_response
from admin.panel.view import OfficeView
from models.base import db
from models.policies import PaperTemplate
from office.documents import letterhead
from office.documents.pdf import registry, samples
from office.documents.pdf.templates import LONGEST, PLACEHOLDERS, Blocks, check_template, seed_blocks
from office.documents.pdf.values import DocumentRefused


class PaperTemplateView(OfficeView):
    table = PaperTemplate
    screen = "paper_templates"
    title = _l("Document templates")
    icon = "file-text"
    can_create = can_edit = can_delete = False
    column_list = ("paper", "language")
    column_default_sort = "paper"
    choices = {"paper": labels.PAPERS, "language": labels.LANGUAGES}
    filters = (ChoiceFilter("paper"), ChoiceFilter("language"))
    detail_columns = ("paper", "language")
    details_template = "policies/document_template.html"
    verbs = {"texts": "edit", "preview": "see"}
    longest = LONGEST

    def text_of(self, row: Any) -> str:
        return f"{labels.PAPERS.get(row.paper, row.paper)} {labels.LANGUAGES.get(row.language, row.language)}"

    def blocks(self, row: PaperTemplate) -> list[tuple[str, str, str]]:
        """Each block as (name, the office's text, the text that came with the program)."""
        own, seed = json.loads(row.blocks), self._seed(row)
        return [(name, own.get(name, text), text) for name, text in seed.items()]

    @staticmethod
    def _seed(row: PaperTemplate) -> Blocks:
        """The texts that came with the program, in the estate's words."""
        return seed_blocks(
            row.paper, row.language, letterhead.estate_details(db.session(), row.language).word_set
        )

    def block_label(self, name: str) -> str:
        return str(labels.TEMPLATE_BLOCKS.get(name, name.replace("_", " ")))

    def placeholders(self, row: PaperTemplate) -> list[str]:
        return sorted(PLACEHOLDERS[row.paper])

    def _typed(self, row: PaperTemplate) -> dict[str, str]:
        """The texts of the form; a block that was not sent stays as it is."""
        return {
            name: request.form.get(f"block_{name}", own).replace("\r\n", "\n").strip("\n")
            for name, own, _seed in self.blocks(row)
        }

    @staticmethod
    def _problems(row: PaperTemplate, blocks: Mapping[str, str]) -> list[str]:
        if not all(request_values.is_clean(text.replace("\n", " ")) for text in blocks.values()):
            return [_("This holds characters that can't be stored.")]
        found = check_template(row.paper, blocks)
        return [wording.problem(each.code, dict(each.inputs)) for each in found]

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        """The record's own page is where its texts are changed."""
        row = self.get_or_404(request.args.get("id"))
        return redirect(url_for("paper_templates.details_view", id=row.id))

    @expose("/texts/", methods=("POST",))
    def texts(self) -> Any:
        """Save the texts, or take back those that came with the program."""
        row = self.get_or_404(request.form.get("id"))
        if request.form.get("row_version") != str(row.row_version):
            flash(_("Somebody else changed this in the meantime."), "error")
            return self._again(row, self._typed(row), 409)
        seed = self._seed(row)
        before = {name: own for name, own, _seed in self.blocks(row)}
        blocks = dict(seed) if request.form.get("reset") else self._typed(row)
        problems = self._problems(row, blocks)
        if problems:
            flash(_("; ").join(problems), "error")
            return self._again(row, blocks, 422)
        own = {name: text for name, text in blocks.items() if text != seed.get(name)}
        row.blocks = json.dumps(own, ensure_ascii=False)  # what the office left as it was follows the program
        db.session.flush()
        changed = {name: text for name, text in blocks.items() if before.get(name) != text}
        record("edit", "paper_template", row.id, {name: before.get(name) for name in changed}, changed)
        db.session.commit()
        flash(_("The texts were saved."), "success")
        return redirect(url_for("paper_templates.details_view", id=row.id))

    def _again(self, row: PaperTemplate, typed: Mapping[str, str], status: int) -> tuple[str, int]:
        page = self.render(
            self.details_template,
            row=row,
            heading=self.text_of(row),
            facts=self.facts(row),
            related=[],
            history=self.history(row.id),
            actions=[],
            revealed={},
            typed=typed,
        )
        return page, status

    @expose("/preview/", methods=("POST",))
    def preview(self) -> Response | tuple[str, int]:
        """The paper with made-up values and the texts as they stand in the form; nothing is saved."""
        row = self.get_or_404(request.form.get("id"))
        blocks = self._typed(row)
        problems = self._problems(row, blocks)
        if problems:
            flash(_("; ").join(problems), "error")
            return self._again(row, blocks, 422)
        try:
            drawn = registry.draw(
                row.paper,
                samples.VALUES[row.paper],
                letterhead.estate_details(db.session(), row.language),
                row.language,
                blocks,
            )
        except DocumentRefused as refusal:
            flash(str(refusal), "error")
            return self._again(row, blocks, 422)
        from office.documents.pdf.writer import pdf_bytes  # reportlab loads slowly (S16)

        return pdf_response(pdf_bytes([drawn], printed_at=self.now()), "preview.pdf")


SCREENS = (PaperTemplateView,)
