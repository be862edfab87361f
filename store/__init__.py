"""PostgreSQL: a repository for each noun, the write queue, notifications, and the embedded server.

Every method raises Unavailable if the database is unavailable, and Busy if too many callers wait for a connection.
"""
