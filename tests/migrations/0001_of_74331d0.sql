CREATE TABLE users (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid            uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    username        text NOT NULL,
    username_key    text NOT NULL UNIQUE,  -- case-folded, RFC 8265; made by the application
    email           text,
    password_hash   text NOT NULL,
    role            text NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'tester', 'admin')),
    invited_by      bigint REFERENCES users ON DELETE SET NULL,
    bio             text,
    profile_picture bytea,  -- PNG, 256x256
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_invited_by ON users (invited_by) WHERE invited_by IS NOT NULL;

CREATE TABLE sessions (
    id         uuid PRIMARY KEY,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE invites (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code       text NOT NULL UNIQUE CHECK (code ~ '^[0-9A-F]{8}$'),
    created_by bigint REFERENCES users ON DELETE CASCADE,  -- null: the operator
    used_by    bigint REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    expires_at timestamptz NOT NULL
);
CREATE INDEX invites_maker ON invites (created_by);
CREATE INDEX invites_used_by ON invites (used_by);

CREATE TABLE chat_codes (
    code       integer PRIMARY KEY CHECK (code BETWEEN 10000 AND 65535),
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX chat_codes_user ON chat_codes (user_id);

-- One row is updated by every batch of the writer: no index on what changes, and room for HOT updates on the page.
CREATE TABLE conversations (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind            text NOT NULL DEFAULT 'direct' CHECK (kind IN ('direct', 'sealed')),
    user_id_1       bigint REFERENCES users ON DELETE CASCADE,
    user_id_2       bigint REFERENCES users ON DELETE CASCADE,
    last_seq        bigint NOT NULL DEFAULT 0,
    last_message_at timestamptz,
    last_seq_1      bigint NOT NULL DEFAULT 0,  -- of a direct one: the newest message by user_id_1 ...
    last_seq_2      bigint NOT NULL DEFAULT 0,  -- ... and by user_id_2, where readers of either side start to look
    key_fingerprint bytea,  -- SHA-256 of the key that was handed out last
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id_1, user_id_2),
    CHECK (kind <> 'direct' OR user_id_1 < user_id_2)
) WITH (fillfactor = 70);
CREATE INDEX conversations_user_2 ON conversations (user_id_2);

CREATE TABLE members (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    user_id         bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role            text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member')),
    joined_at       timestamptz NOT NULL DEFAULT now(),
    read_seq        bigint NOT NULL DEFAULT 0,  -- up to where this member has seen that there is news
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE pending_keys (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    user_id         bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    sealed_key      bytea NOT NULL,  -- crypto.conversation_keys
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX pending_keys_user ON pending_keys (user_id);

CREATE SEQUENCE message_ids;
CREATE TABLE messages (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq             bigint NOT NULL,
    id              bigint NOT NULL DEFAULT nextval('message_ids'),
    sender_id       bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    client_id       text,
    content         text NOT NULL,
    sent_at         timestamptz NOT NULL,
    edited_at       timestamptz,
    PRIMARY KEY (conversation_id, seq)
);
ALTER SEQUENCE message_ids OWNED BY messages.id;
CREATE UNIQUE INDEX messages_client_id ON messages (conversation_id, sender_id, client_id) WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX messages_sent_at ON messages (conversation_id, sent_at);

-- The id of a message at the codes API; twin of chat.model.message_uuid.
CREATE FUNCTION message_uuid(conversation_id uuid, seq bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (overlay(left(conversation_id::text, 18) PLACING '8' FROM 15)
            || to_hex((-9223372036854775808)::bigint | seq))::uuid
$$;

-- A row that comes without a seq, from psql say, gets its place as the writer's rows do.
CREATE FUNCTION place_in_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE conversations SET
        last_seq = last_seq + 1,
        last_message_at = greatest(clock_timestamp(), last_message_at + interval '1 microsecond'),
        last_seq_1 = CASE WHEN user_id_1 = NEW.sender_id THEN last_seq + 1 ELSE last_seq_1 END,
        last_seq_2 = CASE WHEN user_id_2 = NEW.sender_id THEN last_seq + 1 ELSE last_seq_2 END
    WHERE id = NEW.conversation_id
    RETURNING last_seq, last_message_at INTO NEW.seq, NEW.sent_at;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING MESSAGE = 'no such conversation: ' || NEW.conversation_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER place_in_log BEFORE INSERT ON messages
    FOR EACH ROW WHEN (NEW.seq IS NULL) EXECUTE FUNCTION place_in_log();

-- Two kinds of notification for each statement, whoever inserts:
--
-- `conversation_<uuid>`, one per message, {"user_id", "content"}: the codes API's documented contract. A payload that
-- would reach PostgreSQL's limit of 8,000 bytes carries {"user_id", "id"} instead. PostgreSQL drops a notification that
-- is equal to an earlier one of the same transaction; blanks behind the JSON keep two equal messages apart.
--
-- `sottovoce`, for our own workers: which conversations moved, up to which seq, and who did it.
CREATE FUNCTION ring_for_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('conversation_' || conversation_id, payload || repeat(' ', least(nth - 1, 900)::int))
    FROM (
        SELECT conversation_id, seq, payload,
               row_number() OVER (PARTITION BY conversation_id, payload ORDER BY seq) AS nth
        FROM (
            SELECT conversation_id, seq,
                   CASE WHEN octet_length(content) < 7000 AND octet_length(whole) < 7000 THEN whole
                        ELSE json_build_object('user_id', sender_id, 'id', message_uuid(conversation_id, seq))::text
                   END AS payload
            FROM (
                SELECT conversation_id, seq, sender_id, content,
                       CASE WHEN octet_length(content) < 7000
                            THEN json_build_object('user_id', sender_id, 'content', content)::text
                       END AS whole
                FROM fresh
            ) built
        ) fitted
        ORDER BY conversation_id, seq
    ) numbered;

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

-- Whoever ends a session, its sockets must close.
CREATE FUNCTION ring_for_ended_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('sottovoce', json_build_object('type', 'ended', 'sessions', json_agg(id))::text)
    FROM (SELECT id, (row_number() OVER () - 1) / 100 AS part FROM gone) ended
    GROUP BY part;
    RETURN NULL;
END $$;
CREATE TRIGGER ring_for_ended_sessions AFTER DELETE ON sessions
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ring_for_ended_sessions();

-- Shared by all workers, and kept over a restart: a block must outlive the process that set it.
CREATE TABLE limits (
    key           text PRIMARY KEY,
    hits          timestamptz[] NOT NULL DEFAULT '{}',  -- of a window
    blocked_until timestamptz,                          -- of a window
    full_until    timestamptz,                          -- of a bucket: GCRA's theoretical arrival time
    expires_at    timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX limits_expiry ON limits (expires_at);
