"""Keys, hashes, tokens and certificates. Every primitive is a library's; what is ours is their life cycle."""
