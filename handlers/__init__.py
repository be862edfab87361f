"""HTTP, WebSocket and JSON: decode requests, call `chat`, encode answers. It contains no rule of the domain."""
