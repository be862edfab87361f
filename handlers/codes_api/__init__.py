"""The codes API: seeds/codes-api.md, /api/*. Deleting this door is deleting this folder and its line in routes.py."""
