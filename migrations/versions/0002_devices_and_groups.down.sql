DELETE FROM conversations WHERE kind = 'sealed';
DROP VIEW removals;
DROP TABLE blocks, contacts, welcomes, leaves, groups, claims, key_packages;
ALTER TABLE sessions DROP COLUMN device_id;
DROP TABLE devices;
ALTER TABLE members DROP COLUMN state;
ALTER TABLE messages DROP COLUMN kind, DROP COLUMN device_id, DROP COLUMN epoch, DROP COLUMN data,
    DROP COLUMN removed, ALTER COLUMN content SET NOT NULL;
