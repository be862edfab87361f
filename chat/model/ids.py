"""Identifiers. Each has its own NewType, so that mypy reports a mix-up."""

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", int)
SessionId = NewType("SessionId", UUID)
ConversationId = NewType("ConversationId", UUID)
Seq = NewType("Seq", int)
DeviceId = NewType("DeviceId", int)
MAX_ID = 2**63 - 1  # PostgreSQL's bigint; no account or entry has a larger id
