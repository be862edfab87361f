CREATE TABLE devices (
    id            bigint PRIMARY KEY CHECK (id > 0),  -- made by the device itself, at random
    user_id       bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    name          text NOT NULL,
    signature_key bytea NOT NULL UNIQUE,
    created_at    timestamptz NOT NULL
);
CREATE INDEX devices_user ON devices (user_id);

-- The session that speaks for a device; both end together.
ALTER TABLE sessions ADD COLUMN device_id bigint REFERENCES devices ON DELETE CASCADE;
CREATE INDEX sessions_device ON sessions (device_id) WHERE device_id IS NOT NULL;

CREATE TABLE key_packages (
    reference      bytea PRIMARY KEY,
    device_id      bigint NOT NULL REFERENCES devices ON DELETE CASCADE,
    data           bytea NOT NULL,
    is_last_resort boolean NOT NULL,
    expires_at     timestamptz NOT NULL
);
CREATE INDEX key_packages_device ON key_packages (device_id, is_last_resort, expires_at);

-- Who was given a key package, and may add its device with it. One that is no last resort leaves `key_packages` then.
CREATE TABLE claims (
    reference  bytea NOT NULL,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    device_id  bigint NOT NULL REFERENCES devices ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (reference, user_id)
);
CREATE INDEX claims_user ON claims (user_id, device_id);
CREATE INDEX claims_device ON claims (device_id);
CREATE INDEX claims_expiry ON claims (expires_at);

CREATE TABLE groups (
    conversation_id uuid PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
    epoch           bigint NOT NULL,
    group_info      bytea NOT NULL,
    removal_due     boolean NOT NULL DEFAULT false  -- somebody has to go before anything else may be said
) WITH (fillfactor = 70);

-- A device's stay in a group: after which entry it came, up to which it has acknowledged, with which it left. One that
-- comes back has another row.
CREATE TABLE leaves (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    device_id       bigint NOT NULL,
    since_seq       bigint NOT NULL,
    leaf            integer NOT NULL,
    user_id         bigint NOT NULL,
    acked_seq       bigint NOT NULL,
    until_seq       bigint,
    welcome         boolean NOT NULL,  -- that it was invited by, until it is acknowledged
    PRIMARY KEY (conversation_id, device_id, since_seq)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX leaves_now ON leaves (conversation_id, leaf) WHERE until_seq IS NULL;
CREATE INDEX leaves_device ON leaves (device_id);

CREATE TABLE welcomes (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq             bigint NOT NULL,  -- of the commit
    data            bytea NOT NULL,
    PRIMARY KEY (conversation_id, seq)
);

ALTER TABLE messages
    ADD COLUMN kind text CHECK (kind IN ('application', 'commit', 'left')),  -- null: of a direct conversation
    ADD COLUMN device_id bigint,
    ADD COLUMN epoch bigint,
    ADD COLUMN data bytea,        -- an MLSMessage; null: deleted by its author
    ADD COLUMN removed bigint[],  -- devices that a commit removes
    ALTER COLUMN content DROP NOT NULL;

CREATE UNIQUE INDEX messages_commit ON messages (conversation_id, epoch) WHERE kind = 'commit';  -- one ends an epoch

-- As before, but what is sealed has no content to tell.
CREATE OR REPLACE FUNCTION ring_for_messages() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- Who may add whom without asking: `user_id` has accepted `contact_id`.
CREATE TABLE contacts (
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    contact_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (user_id, contact_id)
);
CREATE INDEX contacts_contact ON contacts (contact_id);

CREATE TABLE blocks (
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    blocked_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (user_id, blocked_id)
);
CREATE INDEX blocks_blocked ON blocks (blocked_id);

-- 'requested': a stranger's conversation, which is shown as a request; 'ignored' and 'blocked' hear nothing of it.
ALTER TABLE members ADD COLUMN state text NOT NULL DEFAULT 'joined'
    CHECK (state IN ('joined', 'requested', 'ignored', 'blocked'));
