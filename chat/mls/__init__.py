"""End-to-end encrypted conversations (MLS, RFC 9420): devices, key packages, groups, and the rules of a commit."""
