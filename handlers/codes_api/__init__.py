"""The codes API, `/api/*`: docs/codes-api.md.

To remove it, delete this folder and its lines in handlers/endpoints.py.
"""
