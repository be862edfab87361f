"""What the start of PostgreSQL can raise."""


class CannotStart(Exception):
    """PostgreSQL cannot be created or started. The message is for the operator."""
