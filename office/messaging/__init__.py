"""Messages: the outbox and the channels through which it sends (C5)."""
