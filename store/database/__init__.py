"""The database: connection pool, embedded server, migrations, batched lookups, locks, expiry."""
