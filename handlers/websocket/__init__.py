"""WebSockets: frames, protocol, send buffer, connections."""
