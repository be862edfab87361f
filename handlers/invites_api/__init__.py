"""The invites API: seeds/invites-api.md, root paths.

Deleting this door is deleting this folder and its line in routes.py.
"""
