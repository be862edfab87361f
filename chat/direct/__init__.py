"""Direct conversations: two accounts, a log, and a key that the server hands out."""
