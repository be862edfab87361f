ALTER TABLE users ADD COLUMN picture_version text
    GENERATED ALWAYS AS (left(encode(sha256(profile_picture), 'hex'), 16)) STORED
