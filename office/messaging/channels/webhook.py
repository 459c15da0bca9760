"""One POST to a webhook, and what its answer tells of the message."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence

from office.messaging.channels.base import Declined, Undelivered, Unreachable, Unsure

SECONDS_TO_WAIT = 15
MOST_BYTES = 100_000  # of an answer


def post(request: urllib.request.Request) -> bytes:
    """Send a request; returns the beginning of the answer's body. Raises the errors of base.py.

    400, 404, 410 and 422 decline the message for ever; 410 and 422 say that its address is bad.
    """
    try:
        with urllib.request.urlopen(request, timeout=SECONDS_TO_WAIT) as answer:  # noqa: S310 -- IT's own address
            return bytes(answer.read(MOST_BYTES))
    except urllib.error.HTTPError as error:
        error.close()
        text = f"{error.code} {error.reason}"
        if error.code in {400, 404, 410, 422}:
            raise Declined(text, is_address_bad=error.code in {410, 422}) from error
        raise Undelivered(text) from error
    except urllib.error.URLError as error:
        raise Unreachable(str(error.reason)) from error
    except OSError as error:
        raise Unsure(f"no answer from the webhook: {error}") from error


def answered(body: bytes, names: Sequence[str]) -> tuple[int, str]:
    """The code and the words in a service's answer; the code stands under the first of these names.

    Raises Unsure for an answer that is none of the service's.
    """
    try:
        said = json.loads(body)
        code = next(said[name] for name in names if name in said)
        return int(code), str(said.get("errmsg") or said.get("msg") or "")
    except (ValueError, TypeError, AttributeError, StopIteration) as wrong:
        raise Unsure(f"the webhook's answer has no {names[0]}") from wrong
