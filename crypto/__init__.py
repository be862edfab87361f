"""Keys, password hashes, tokens and MLS frames. All primitives come from libraries; this package manages their use."""
