"""The domain. It knows no socket, no SQL and no environment: `server` hands it everything it needs.

`store` must not be imported here; what a part needs of it is said by a Protocol beside the part.
"""
