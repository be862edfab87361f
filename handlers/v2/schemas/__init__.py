"""Bodies, answers and frames of the sealed API. Bytes travel as base64, ids of devices as 16 hex digits."""
