CREATE OR REPLACE VIEW removals AS
    SELECT l.conversation_id, l.device_id FROM leaves l
    WHERE l.until_seq IS NULL AND NOT EXISTS (
        SELECT FROM devices d JOIN members m ON m.user_id = d.user_id
        WHERE d.id = l.device_id AND d.user_id = l.user_id AND m.conversation_id = l.conversation_id
    );
DROP VIEW unused_devices;
ALTER TABLE devices DROP COLUMN seen_at;
-- The server refuses messages exactly where there is something to remove.
UPDATE groups g SET removal_due = EXISTS (SELECT FROM removals r WHERE r.conversation_id = g.conversation_id);
