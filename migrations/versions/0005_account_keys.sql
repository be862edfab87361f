CREATE TABLE account_keys (
    user_id bigint PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    public_key bytea NOT NULL,
    counter bigint NOT NULL,
    device_list bytea NOT NULL,
    signature bytea NOT NULL,
    listed bytea[] NOT NULL, -- the signature keys in device_list
    recovery bytea -- the account key, encrypted by the user's recovery key
);
CREATE TABLE links (
    device_id bigint PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    request bytea NOT NULL,
    answer bytea,
    expires_at timestamptz NOT NULL
);
CREATE INDEX links_expiry ON links (expires_at);
-- Devices that their account's key has not listed.
CREATE VIEW unlisted_devices AS
SELECT d.id FROM devices d JOIN account_keys k ON k.user_id = d.user_id WHERE d.signature_key <> ALL (k.listed);
