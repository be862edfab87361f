ALTER TABLE groups DROP COLUMN commit_hash;
