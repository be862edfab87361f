ALTER TABLE devices ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now(); -- when a session of it began or was renewed
-- Devices of which no session began or was renewed for 90 days.
CREATE VIEW unused_devices AS SELECT id FROM devices WHERE seen_at < now() - interval '90 days';
CREATE OR REPLACE VIEW removals AS
    SELECT l.conversation_id, l.device_id FROM leaves l
    WHERE l.until_seq IS NULL AND NOT EXISTS (
        SELECT FROM devices d JOIN members m ON m.user_id = d.user_id
        WHERE d.id = l.device_id AND d.user_id = l.user_id AND m.conversation_id = l.conversation_id
        AND NOT EXISTS (SELECT FROM unlisted_devices u WHERE u.id = d.id)
    );
-- The server refuses messages exactly where there is something to remove.
UPDATE groups g SET removal_due = EXISTS (SELECT FROM removals r WHERE r.conversation_id = g.conversation_id);
