"""HTTP, WebSocket and JSON: decode requests, call the services of `chat`, encode answers. No rule of the domain."""
