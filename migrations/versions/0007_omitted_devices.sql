ALTER TABLE account_keys ADD COLUMN omitted bytea[] NOT NULL DEFAULT '{}'; -- signature keys that were in earlier lists
