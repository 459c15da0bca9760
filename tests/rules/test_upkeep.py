"""Policies of the office's upkeep (C5)."""

from datetime import timedelta

import pytest

from rules.policy_values import PolicyValueError
from rules.upkeep import MessagePolicy


def test_a_message_is_tried_again_after_each_wait():
    assert MessagePolicy((5, 60)).waits == [timedelta(minutes=5), timedelta(hours=1)]


def test_a_message_policy_without_waits_is_refused():
    with pytest.raises(PolicyValueError, match="list_empty"):
        MessagePolicy(())
