"""Accounts: registration, sessions, contacts, chat codes, invites and profile pictures."""
