"""What a delivery service has to know of MLS (RFC 9420): who is in a frame, never what it says."""
