"""TLS: the context that is served, and the local certificate authority."""
