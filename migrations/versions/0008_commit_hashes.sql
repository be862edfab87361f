ALTER TABLE groups ADD COLUMN commit_hash bytea; -- SHA-256 of the commit that began the epoch; null: not known
