"""Direct conversations: two accounts, a log, and a key that the server creates and issues to both."""
