"""Bodies, answers and frames of the v2 API. Bytes are encoded as base64, ids of devices as 16 hex digits."""
