"""The sealed API: MLS between devices; the server orders, stores and routes what it cannot read."""
