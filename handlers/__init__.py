"""Wire to verbs and back: what is said here is HTTP, WebSocket and JSON, and nothing about the domain."""
