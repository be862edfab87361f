-- To the schema of 0003 as its last edition made it, not to an earlier one.
DROP TRIGGER assign_seq ON messages;
DROP TRIGGER delete_messages ON conversations;
DROP TRIGGER notify_messages ON messages;
DROP TRIGGER notify_ended_sessions ON sessions;
DROP FUNCTION assign_seq, delete_messages, notify_messages, notify_ended_sessions;

ALTER TABLE pending_keys RENAME COLUMN wrapped_key TO sealed_key;
ALTER TABLE conversations DROP CONSTRAINT conversations_kind_check;
UPDATE conversations SET kind = 'sealed' WHERE kind = 'encrypted';
ALTER TABLE conversations ADD CONSTRAINT conversations_kind_check CHECK (kind IN ('direct', 'sealed'));

CREATE FUNCTION place_in_log() RETURNS trigger LANGUAGE plpgsql AS $$
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
            USING MESSAGE = format('%s is no member of a conversation %s', NEW.sender_id, NEW.conversation_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER place_in_log BEFORE INSERT ON messages
    FOR EACH ROW WHEN (NEW.seq IS NULL) EXECUTE FUNCTION place_in_log();

CREATE FUNCTION forget_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM messages USING gone WHERE messages.conversation_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_log AFTER DELETE ON conversations
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION forget_log();

CREATE FUNCTION ring_for_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(
        'conversation_' || conversation_id,
        CASE WHEN octet_length(content) < 7900 AND octet_length(whole) < 7900 THEN whole
             ELSE json_build_object('user_id', sender_id, 'id', message_uuid(conversation_id, seq))::text
        END || translate(ltrim(seq::bit(64)::text, '0'), '01', E' \t')
    )
    FROM fresh, LATERAL (
        SELECT CASE WHEN octet_length(content) < 7900
                    THEN json_build_object('user_id', sender_id, 'content', content)::text END AS whole
    ) built
    WHERE content IS NOT NULL
    ORDER BY conversation_id, seq;

    IF current_setting('sottovoce.rings', true) = 'no' THEN
        RETURN NULL;  -- the writer rings by another bus
    END IF;
    PERFORM pg_notify('sottovoce', json_build_object(
        'type', 'moved', 'worker', current_setting('application_name'), 'seqs', json_object_agg(conversation_id, seq)
    )::text)
    FROM (
        SELECT conversation_id, max(seq) AS seq, (row_number() OVER (ORDER BY conversation_id) - 1) / 100 AS part
        FROM fresh GROUP BY conversation_id
    ) moved
    GROUP BY part;
    RETURN NULL;
END $$;

CREATE TRIGGER ring_for_messages AFTER INSERT ON messages
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ring_for_messages();

CREATE FUNCTION ring_for_ended_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sottovoce', json_build_object('type', 'ended', 'sessions', json_agg(id))::text)
    FROM (SELECT id, (row_number() OVER () - 1) / 100 AS part FROM gone) ended
    GROUP BY part;
    RETURN NULL;
END $$;
CREATE TRIGGER ring_for_ended_sessions AFTER DELETE ON sessions
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ring_for_ended_sessions();
