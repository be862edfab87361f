-- Migrations 0001 and 0002 were edited after data folders had been made with them. This migration brings each of these
-- folders to one schema. Every statement can run on every edition; later changes are migrations of their own.

-- Early editions had foreign keys here, which locked a row of `users` and one of `conversations` for each message. They
-- also deleted the commits of a deleted account from encrypted conversations, which then could not be read on.
ALTER TABLE messages
    DROP CONSTRAINT IF EXISTS messages_conversation_id_fkey,
    DROP CONSTRAINT IF EXISTS messages_sender_id_fkey;

-- Early editions lacked these.
CREATE INDEX IF NOT EXISTS key_packages_expiry ON key_packages (expires_at);
CREATE INDEX IF NOT EXISTS leaves_user ON leaves (user_id);
ALTER TABLE leaves ADD COLUMN IF NOT EXISTS muted_until timestamptz;
CREATE OR REPLACE VIEW removals AS
    SELECT l.conversation_id, l.device_id FROM leaves l
    WHERE l.until_seq IS NULL AND NOT EXISTS (
        SELECT FROM devices d JOIN members m ON m.user_id = d.user_id
        WHERE d.id = l.device_id AND d.user_id = l.user_id AND m.conversation_id = l.conversation_id
    );

DO $$
BEGIN
    -- One edition muted a device until the next commit, whenever that came. The server mutes for 30 seconds.
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'leaves'::regclass AND attname = 'muted') THEN
        UPDATE leaves SET muted_until = now() + interval '30 seconds' WHERE muted;
        ALTER TABLE leaves DROP COLUMN muted;
    END IF;
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'pending_keys'::regclass AND attname = 'sealed_key') THEN
        ALTER TABLE pending_keys RENAME COLUMN sealed_key TO wrapped_key;
    END IF;
END $$;

ALTER TABLE conversations DROP CONSTRAINT IF EXISTS conversations_kind_check;
UPDATE conversations SET kind = 'encrypted' WHERE kind = 'sealed';
ALTER TABLE conversations ADD CONSTRAINT conversations_kind_check CHECK (kind IN ('direct', 'encrypted'));

-- The functions of every edition, under the names of before and of now.
DROP TRIGGER IF EXISTS place_in_log ON messages;
DROP TRIGGER IF EXISTS assign_seq ON messages;
DROP TRIGGER IF EXISTS forget_log ON conversations;
DROP TRIGGER IF EXISTS delete_messages ON conversations;
DROP TRIGGER IF EXISTS ring_for_messages ON messages;
DROP TRIGGER IF EXISTS notify_messages ON messages;
DROP TRIGGER IF EXISTS ring_for_ended_sessions ON sessions;
DROP TRIGGER IF EXISTS notify_ended_sessions ON sessions;
DROP FUNCTION IF EXISTS place_in_log, forget_log, ring_for_messages, ring_for_ended_sessions;

-- The id of a message at the codes API. `chat.model.messages.message_uuid` computes the same.
CREATE OR REPLACE FUNCTION message_uuid(conversation_id uuid, seq bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (overlay(left(conversation_id::text, 18) PLACING '8' FROM 15)
            || to_hex((-9223372036854775808)::bigint | seq))::uuid
$$;

-- The writer assigns `seq` itself. A row that another program inserts without one gets the next.
CREATE OR REPLACE FUNCTION assign_seq() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE conversations SET
        last_seq = last_seq + 1,
        last_message_at = greatest(clock_timestamp(), last_message_at + interval '1 microsecond'),
        last_seq_1 = CASE WHEN user_id_1 = NEW.sender_id THEN last_seq + 1 ELSE last_seq_1 END,
        last_seq_2 = CASE WHEN user_id_2 = NEW.sender_id THEN last_seq + 1 ELSE last_seq_2 END
    WHERE id = NEW.conversation_id AND EXISTS (
        SELECT FROM members m WHERE m.conversation_id = NEW.conversation_id AND m.user_id = NEW.sender_id
    )
    RETURNING last_seq, last_message_at INTO NEW.seq, NEW.sent_at;
    IF NOT FOUND THEN
        RAISE foreign_key_violation
            USING MESSAGE = format('user %s is not a member of conversation %s', NEW.sender_id, NEW.conversation_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assign_seq BEFORE INSERT ON messages
    FOR EACH ROW WHEN (NEW.seq IS NULL) EXECUTE FUNCTION assign_seq();

CREATE OR REPLACE FUNCTION delete_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM messages USING deleted WHERE messages.conversation_id = deleted.id;
    RETURN NULL;
END $$;
CREATE TRIGGER delete_messages AFTER DELETE ON conversations
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION delete_messages();

-- Each statement that inserts messages, of any program, sends two kinds of notification.
--
-- `conversation_<uuid>`, one for each message of a direct conversation, {"user_id", "content"}, is a contract of the
-- codes API. PostgreSQL limits a payload to 8,000 bytes; a longer one has {"user_id", "id"} instead. PostgreSQL drops a
-- notification that equals an earlier one of its transaction; blanks behind the JSON keep equal messages apart.
--
-- `sottovoce`, for the workers: which conversations have new messages, up to which seq, and which worker wrote them.
CREATE OR REPLACE FUNCTION notify_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(
        'conversation_' || conversation_id,
        CASE WHEN octet_length(content) < 7900 AND octet_length(whole) < 7900 THEN whole
             ELSE json_build_object('user_id', sender_id, 'id', message_uuid(conversation_id, seq))::text
        END || translate(ltrim(seq::bit(64)::text, '0'), '01', E' \t')
    )
    FROM inserted, LATERAL (
        SELECT CASE WHEN octet_length(content) < 7900
                    THEN json_build_object('user_id', sender_id, 'content', content)::text END AS whole
    ) built
    WHERE content IS NOT NULL  -- encrypted messages have none
    ORDER BY conversation_id, seq;

    IF current_setting('sottovoce.notify', true) = 'off' THEN
        RETURN NULL;  -- the writer publishes through another bus
    END IF;
    PERFORM pg_notify('sottovoce', json_build_object(
        'type', 'moved', 'worker', current_setting('application_name'), 'seqs', json_object_agg(conversation_id, seq)
    )::text)
    FROM (
        SELECT conversation_id, max(seq) AS seq, (row_number() OVER (ORDER BY conversation_id) - 1) / 100 AS part
        FROM inserted GROUP BY conversation_id
    ) moved
    GROUP BY part;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_messages AFTER INSERT ON messages
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION notify_messages();

-- The sockets of a session must close when any program deletes it.
CREATE OR REPLACE FUNCTION notify_ended_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sottovoce', json_build_object('type', 'ended', 'sessions', json_agg(id))::text)
    FROM (SELECT id, (row_number() OVER () - 1) / 100 AS part FROM deleted) ended
    GROUP BY part;
    RETURN NULL;
END $$;
CREATE TRIGGER notify_ended_sessions AFTER DELETE ON sessions
    REFERENCING OLD TABLE AS deleted FOR EACH STATEMENT EXECUTE FUNCTION notify_ended_sessions();
