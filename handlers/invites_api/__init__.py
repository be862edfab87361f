"""The invites API, root paths: docs/invites-api.md.

To remove it, delete this folder and its lines in handlers/endpoints.py.
"""
