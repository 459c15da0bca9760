"""Two-factor sign-in: one-time codes of an app, recovery codes, and who must have them (P7)."""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from models.people import RecoveryCode, SignInAttempt, Staff
from models.secrets import fingerprint
from office.core import audit
from office.core.errors import N_, Refused
from office.policies import store
from rules.sign_in import USUAL, SignInPolicy

STEP_SECONDS = 30  # what every such app counts in
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another


def in_force(session: Session, on: date) -> SignInPolicy:
    """The policy of signing in on a day; an older office got it at its start (setup.complete).

    One that can't be read must lock nobody out: the last readable version holds, or the usual one.
    """
    return store.last_readable(session, SignInPolicy, on) or USUAL


def is_required(session: Session, staff: Staff, on: date) -> bool:
    """Whether the estate's policy asks one of a person's roles for two-factor sign-in."""
    return in_force(session, on).is_two_factor_needed(staff.roles)


def new_secret() -> str:
    """A secret for an app: 32 letters."""
    import pyotp

    return pyotp.random_base32()


def address(secret: str, login: str, estate: str) -> str:
    """What the QR code says to an app."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=f"Gatehouse {estate}".strip())


def switch_on(
    session: Session, staff: Staff, secret: str, code: str, *, now: datetime, on: date
) -> list[str]:
    """From now on this person needs a code to sign in; answers the recovery codes, which nobody sees again.

    Raises Refused when the code is not the one that the secret gives now.
    """
    step = _step_of(secret, code, now)
    if step is None:
        raise Refused(N_("This is not the code that the app shows now. Check the clock of the phone."))
    staff.totp_secret, staff.totp_step = secret, step
    codes = _new_codes(session, staff, on)
    audit.record(session, now, staff.id, "second_step_on", staff, {"recovery_codes": len(codes)})
    return codes


def switch_off(session: Session, staff: Staff, *, now: datetime, by_id: int | None) -> None:
    """Go back to the password alone; the recovery codes go. Raises Refused when two-factor is not on."""
    if not staff.totp_secret:
        raise Refused(N_("%(name)s has no second step"), name=staff.name)
    staff.totp_secret = staff.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    audit.record(session, now, by_id, "second_step_off", staff)


def renew_codes(session: Session, staff: Staff, *, now: datetime, on: date) -> list[str]:
    """New recovery codes; those before are worth nothing from now on."""
    codes = _new_codes(session, staff, on)
    audit.record(session, now, staff.id, "recovery_codes", staff, {"recovery_codes": len(codes)})
    return codes


def passes(session: Session, staff: Staff, code: str, *, now: datetime) -> bool:
    """Whether a code lets the person in: the app's, each once, or a recovery code, which is then used up."""
    plain = "".join(code.split()).replace("-", "").lower()
    step = _step_of(staff.totp_secret or "", plain, now)
    if step is not None:
        newer = or_(Staff.totp_step.is_(None), Staff.totp_step < step)
        taken = session.execute(update(Staff).where(Staff.id == staff.id, newer).values(totp_step=step))
        return bool(taken.rowcount == 1)  # type: ignore[attr-defined]
    mine = (RecoveryCode.staff_id == staff.id, RecoveryCode.code_mac == fingerprint(plain))
    used = session.execute(delete(RecoveryCode).where(*mine)).rowcount  # type: ignore[attr-defined]
    if used != 1:
        return False
    audit.record(
        session, now, staff.id, "recovery_code_used", staff, {"recovery_codes": codes_left(session, staff.id)}
    )
    return True


def codes_left(session: Session, staff_id: int) -> int:
    return session.scalar(select(func.count(RecoveryCode.id)).where(RecoveryCode.staff_id == staff_id)) or 0


def is_held_up(session: Session, staff: Staff, *, now: datetime, on: date) -> bool:
    """Whether sign-in is throttled for this person after too many wrong codes."""
    policy = in_force(session, on)
    since = now - timedelta(minutes=policy.wait_minutes)
    wrong = select(func.count(SignInAttempt.id)).where(
        SignInAttempt.source == _source(staff), SignInAttempt.at > since, SignInAttempt.at <= now
    )
    return bool((session.scalar(wrong) or 0) >= policy.wrong_codes)


def note_wrong_code(session: Session, staff: Staff, *, now: datetime) -> None:
    session.add(SignInAttempt(source=_source(staff), at=now))


def forget_wrong_codes(session: Session, staff: Staff) -> None:
    """A correct sign-in ends the count."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.source == _source(staff)))


def _source(staff: Staff) -> str:
    return f"code of {staff.id}"


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is: the present one or a neighbour, since clocks differ."""
    import pyotp

    present = int(now.timestamp()) // STEP_SECONDS
    maker = pyotp.TOTP(secret)
    if not secret or not code.isascii() or not code.isdigit():
        return None
    found = (
        step
        for step in (present, present - 1, present + 1)
        if secrets.compare_digest(maker.generate_otp(step), code)
    )
    return next(found, None)


def _new_codes(session: Session, staff: Staff, on: date) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    count = in_force(session, on).recovery_codes
    codes = ["".join(secrets.choice(LETTERS) for _ in range(10)) for _ in range(count)]
    session.add_all(RecoveryCode(staff_id=staff.id, code_mac=fingerprint(code)) for code in codes)
    session.flush()
    return [f"{code[:5]}-{code[5:]}" for code in codes]
