"""Notifications between workers: over PostgreSQL, or over NATS."""
