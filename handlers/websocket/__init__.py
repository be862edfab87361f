"""WebSockets of every API: frames, protocol, send buffers and open connections."""
