"""The database engine: connection pool, embedded server, migrations, batched lookups, locks, expiry."""
