"""The codes API, `/api/*`: docs/codes-api.md. To delete it, delete this folder and its lines in
handlers/endpoints.py.
"""
