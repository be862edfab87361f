"""The transcript hashes of RFC 9420 section 8.2, which chain the commits of a group."""

import hashlib

from crypto.mls.frames import Commit, GroupInfo
from crypto.mls.wire import opaque


def confirmed_transcript_hash(before: GroupInfo, commit: Commit) -> bytes:
    """Return the confirmed transcript hash after `commit`. `before`: the group info of the epoch that it ends."""
    interim = hashlib.sha256(before.confirmed_transcript_hash + opaque(before.confirmation_tag)).digest()
    return hashlib.sha256(interim + commit.transcript).digest()
