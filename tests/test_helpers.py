"""What several tests use stands in factories, oracles or a conftest: no test module imports from another."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
FROM_A_TEST = re.compile(
    r"^\s*(?:from|import) tests(?:\.\w+)*\.test_\w+|^\s*from tests[\w.]* import test_", re.MULTILINE
)


def test_no_module_imports_from_a_test() -> None:
    assert [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if FROM_A_TEST.search(path.read_text("utf-8"))
    ] == []


def test_such_an_import_is_found() -> None:
    """The control."""
    assert FROM_A_TEST.search("import os\nfrom tests.office.messaging." + "test_outbox import Inbox\n")
    assert FROM_A_TEST.search("from tests.rules import " + "test_visits\n")
    assert not FROM_A_TEST.search("from tests.factories.mail_server import Inbox\n")
