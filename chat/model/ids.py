"""Opaque identifiers, one NewType each, so that one cannot stand for another."""

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", int)
SessionId = NewType("SessionId", UUID)
ConversationId = NewType("ConversationId", UUID)
Seq = NewType("Seq", int)
DeviceId = NewType("DeviceId", int)
MAX_ID = 2**63 - 1  # PostgreSQL's bigint; a larger id names nobody
