"""PostgreSQL: one module of SQL per noun, the write queue, the bus, and the embedded server."""
