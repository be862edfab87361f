"""The schema of the database. `sottovoce serve` and `sottovoce migrate` bring a database up to date with alembic.

A migration is frozen once it is committed, because data folders exist that it made. To change the schema:

1. Write versions/NNNN_name.sql and NNNN_name.down.sql, and copy the .py of the migration before with its two revisions.
2. Run tests/test_migrations.py. It tells the lines to change in fingerprint.txt, and the SHA-256 to add to FROZEN.
3. Read the diff of fingerprint.txt: it is the schema that every start compares with the database.
"""
