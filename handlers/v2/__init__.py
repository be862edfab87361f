"""The v2 API, `/v2/*`: docs/PROTOCOL.md. End-to-end encrypted conversations (MLS) and direct conversations."""
