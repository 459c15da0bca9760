"""Screens for IT: scheduled jobs, audit log, outbox, document templates, health check (§8)."""
