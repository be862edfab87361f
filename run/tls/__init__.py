"""TLS: the server's context and certificate, and the local certificate authority."""
