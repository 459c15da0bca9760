"""A paper is filed when it is first printed, and comes from its file ever after (D3, P8).

The file keeps the paper's values, and the letterhead and texts it was printed with: printed again it is the
same paper, marked as a copy. What the office goes on working with, such as a complaint form, is filed anew
under a further number (`T20260001/2`) when its values have changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from io import BytesIO
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from models.office import Paper, PaperSetting
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.documents.languages import estate_language, payer_languages
from office.documents.letterhead import estate_details, office_texts
from office.documents.pdf import registry
from office.documents.pdf.document import Document, Mark, Progress, Size
from office.documents.pdf.templates import Blocks, seed_blocks
from office.documents.pdf.values import DocumentRefused, EstateDetails

PORTION = 500  # papers looked up or filed at once
FILED = (Paper.id, Paper.number, Paper.language, Paper.contents, Paper.setting_id, Paper.issued_at)
Filed = Row[Any]  # FILED of a paper


ASKS = "asks_about_characters"  # in session.info: who prints is asked first, and has not said yes


class CharactersMissing(Refused):
    """Papers that the font can't print whole, asked about first; `papers`: whose, which characters (D10)."""

    def __init__(self, papers: Sequence[tuple[str, str]]) -> None:
        named = "; ".join(f"{paper}: {characters}" for paper, characters in papers)
        super().__init__(N_("These characters can't be printed: %(which)s"), which=named)
        self.papers = papers


@dataclass(frozen=True)
class NewPaper:
    """A paper to be printed: its number within its kind, its values, and whose file it goes to.

    Without a value it is printed only if it is in the file. `shown` is printed instead of the value where a
    sheet shows more than its file may keep.
    """

    number: str
    value: registry.Value | None
    unit_id: int | None = None
    payer_id: int | None = None
    shown: registry.Value | None = None
    also: tuple[str, ...] = ()  # other numbers under which it may be filed: that one stays its number

    def numbered(self, number: str) -> NewPaper:
        """The same paper under a number that it has in the file."""
        values = [
            replace(one, number=number) if one is not None else None  # type: ignore[arg-type]  # all that have other numbers
            for one in (self.value, self.shown)
        ]
        return replace(self, number=number, value=values[0], shown=values[1])


@dataclass(frozen=True)
class Setting:
    """What surrounds the values of a paper: the estate as its letterhead shows it, and the texts."""

    estate: EstateDetails
    texts: Blocks

    @classmethod
    def now(cls, session: Session, kind: str, language: str) -> Setting:
        estate = estate_details(session, language)
        own = office_texts(session, language).get(kind, {})
        return cls(estate, {**seed_blocks(kind, language, estate.word_set), **own})

    @classmethod
    def stored(cls, row: PaperSetting) -> Setting:
        return cls(registry.estate_of(row.estate), row.texts)

    @cached_property
    def sha256(self) -> str:
        return digest({"estate": registry.contents(self.estate), "texts": dict(self.texts)})


def digest(plain: Any) -> str:
    """The SHA-256 of plain JSON, the same for the same values."""
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Printing:
    """One print of papers of one kind, in three steps, so that drawing thousands holds no transaction.

    The constructor reads and raises Refused where there is nothing to print, `pdf` draws, `file` writes.
    A payer's paper is in the payer's language (P12), any other in `language`, or else the estate's.
    """

    def __init__(
        self,
        session: Session,
        kind: str,
        papers: Iterable[NewPaper],
        *,
        now: datetime,
        language: str = "",
        size: Size = "",
    ) -> None:
        self.kind, self.at, self.size = kind, now, size
        self.unprintable: Sequence[tuple[str, str]] = ()  # after `pdf`: which papers lack which characters
        listed = list(papers)
        payers = {paper.payer_id for paper in listed if paper.payer_id is not None}
        self._payer_languages = payer_languages(session, payers)
        self._language = language or estate_language(session)
        self.papers: list[tuple[NewPaper, Filed | None]] = list(self._with_files(session, listed))
        if not self.papers:
            raise Refused(N_("There is nothing to print"))
        wanted = {filed.setting_id for _paper, filed in self.papers if filed and filed.setting_id}
        rows = session.scalars(select(PaperSetting).where(PaperSetting.id.in_(wanted)))
        self._settings = {row.id: Setting.stored(row) for row in rows}
        languages = {filed.language for _paper, filed in self.papers if filed and not filed.setting_id}
        languages |= {self.language_of(paper) for paper, _filed in self.papers}
        self._settings_now = {one: Setting.now(session, kind, one) for one in languages}

    def language_of(self, paper: NewPaper) -> str:
        return self._language if paper.payer_id is None else self._payer_languages[paper.payer_id]

    def _with_files(
        self, session: Session, papers: Sequence[NewPaper]
    ) -> Iterator[tuple[NewPaper, Filed | None]]:
        """Each paper with its row in the file, without those that are neither there nor new."""
        filed: dict[str, Filed] = {}
        for portion in chunks(
            [number for paper in papers for number in (paper.number, *paper.also)], PORTION
        ):
            rows = session.execute(select(*FILED).where(Paper.kind == self.kind, Paper.number.in_(portion)))
            filed |= {row.number: row for row in rows}
        is_kept_up = registry.KINDS[self.kind].is_kept_up
        for given in papers:
            paper = given
            if given.number not in filed:
                paper = next((given.numbered(number) for number in given.also if number in filed), given)
            if is_kept_up and paper.value is not None:
                yield self._newest(session, paper, paper.value)
            elif paper.number in filed or paper.value is not None:
                yield paper, filed.get(paper.number)

    def _newest(
        self, session: Session, paper: NewPaper, value: registry.Value
    ) -> tuple[NewPaper, Filed | None]:
        """A paper that is kept up: the newest in the file if it says the same, else one with a new number."""
        further = f"{paper.number}/"
        newest = session.execute(
            select(*FILED)
            .where(
                Paper.kind == self.kind,
                or_(Paper.number == paper.number, Paper.number.startswith(further, autoescape=True)),
            )
            .order_by(Paper.id.desc())
            .limit(1)
        ).first()
        if newest is None:
            return paper, None
        if newest.language == self.language_of(paper) and newest.contents == registry.contents(value):
            return paper, newest
        times = int(newest.number.removeprefix(further)) if newest.number != paper.number else 1
        return replace(paper, number=f"{further}{times + 1}"), None

    def documents(self) -> Iterator[Document]:
        """The papers one by one. Raises Refused with what a paper refuses."""
        for paper, filed in self.papers:
            try:
                made = self._copy(paper, filed) if filed else self._drawn(paper, paper.shown)
                yield replace(made, size=self.size) if self.size else made
            except DocumentRefused as refusal:
                raise Refused(N_("This paper can't be printed: %(why)s"), why=str(refusal)) from refusal

    def _drawn(self, paper: NewPaper, shown: registry.Value | None = None) -> Document:
        value, language = shown or paper.value, self.language_of(paper)
        assert value is not None
        setting = self._settings_now[language]
        return registry.draw(self.kind, value, setting.estate, language, setting.texts)

    def _copy(self, paper: NewPaper, filed: Filed) -> Document:
        """The paper as it was; what has become void since says that instead."""
        if _mark(paper.value) == "void":
            return self._drawn(paper)
        if not filed.contents:
            raise Refused(
                N_("What this paper said was erased with the personal data in it; its number and day stay")
            )
        setting = self._settings.get(filed.setting_id) or self._settings_now[filed.language]
        value = paper.shown or registry.value_of(self.kind, filed.contents)
        texts = {
            **dict.fromkeys(seed_blocks(self.kind, filed.language), ""),
            **setting.texts,
        }  # none of later
        made = registry.draw(self.kind, value, setting.estate, filed.language, texts)
        return replace(made, mark="copy", printed_at=filed.issued_at)

    def pdf(self, progress: Progress | None = None) -> bytes:
        """The papers as one PDF; `progress` is called after each. Raises Refused as `documents` does."""
        from office.documents.pdf.writer import write_documents  # reportlab loads slowly (S16)

        target = BytesIO()
        printed = write_documents(self.documents(), target, printed_at=self.at, progress=progress)
        self.unprintable = printed.unprintable
        return target.getvalue()

    def file(self, session: Session, staff_id: int | None) -> None:
        """Put the new papers into their files, and count a copy of each of the others."""
        copied = [filed.id for _paper, filed in self.papers if filed is not None]
        for portion in chunks(copied, PORTION):
            session.execute(update(Paper).where(Paper.id.in_(portion)).values(copies=Paper.copies + 1))
        new = [paper for paper, filed in self.papers if filed is None]
        if not new:
            return
        setting_ids = {one: self._setting_id(session, one) for one in map(self.language_of, new)}
        for papers in chunks(new, PORTION):
            session.execute(insert(Paper), [self._row(paper, setting_ids, staff_id) for paper in papers])

    def _row(self, paper: NewPaper, setting_ids: Mapping[str, int], staff_id: int | None) -> dict[str, Any]:
        assert paper.value is not None
        contents, language = registry.contents(paper.value), self.language_of(paper)
        said = {"kind": self.kind, "language": language, "contents": contents}
        return {
            "kind": self.kind,
            "number": paper.number,
            "unit_id": paper.unit_id,
            "payer_id": paper.payer_id,
            "language": language,
            "contents": contents,
            "setting_id": setting_ids[language],
            "dated": registry.dated(paper.value),
            "total": registry.total(paper.value),
            "sha256": digest({**said, "setting": self._settings_now[language].sha256}),
            "issued_at": self.at,
            "staff_id": staff_id,
        }

    def _setting_id(self, session: Session, language: str) -> int:
        """The row of this print's letterhead and texts in a language, made when they are new."""
        setting = self._settings_now[language]
        found = session.scalar(select(PaperSetting.id).where(PaperSetting.sha256 == setting.sha256))
        if found is None:
            row = PaperSetting(
                sha256=setting.sha256,
                estate=registry.contents(setting.estate),
                texts=dict(setting.texts),
            )
            session.add(row)
            session.flush()
            found = row.id
        return found


def print_papers(
    session: Session,
    kind: str,
    papers: Iterable[NewPaper],
    *,
    now: datetime,
    staff_id: int | None,
    language: str = "",
    size: Size = "",
) -> bytes:
    """Papers of one kind as one PDF, each filed at its first print.

    Raises Refused, and CharactersMissing before anything is filed where somebody can be asked (ASKS).
    """
    printing = Printing(session, kind, papers, now=now, language=language, size=size)
    made = printing.pdf()
    if printing.unprintable and session.info.get(ASKS):
        raise CharactersMissing(printing.unprintable)
    printing.file(session, staff_id)
    return made


def unfiled_pdf(
    session: Session, kind: str, value: registry.Value, *, language: str, now: datetime, size: Size = ""
) -> bytes:
    """A paper that is filed nowhere, such as a report sheet, as PDF. Raises Refused."""
    return Printing(session, kind, [NewPaper("", value)], language=language, now=now, size=size).pdf()


def filed_pdf(session: Session, paper_id: int, now: datetime) -> bytes:
    """A filed paper as it was, to look at; counts no copy. Raises Refused when there is none."""
    filed = session.get(Paper, paper_id)
    if filed is None:
        raise Refused(N_("This paper is not in the file"))
    printing = Printing(session, filed.kind, [NewPaper(filed.number, None)], language=filed.language, now=now)
    return printing.pdf()


def _mark(value: registry.Value | None) -> Mark:
    found: Mark = getattr(value, "mark", "")
    return found


def sample_pdf(session: Session, kind: str, *, language: str, now: datetime) -> bytes:
    """A paper with made-up values under this estate's letterhead, to look at; it is filed nowhere."""
    from office.documents.pdf import samples

    return unfiled_pdf(session, kind, samples.VALUES[kind], language=language, now=now)
