"""Notifications between workers, through PostgreSQL or NATS."""
