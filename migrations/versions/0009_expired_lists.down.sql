CREATE OR REPLACE VIEW unlisted_devices AS
SELECT d.id FROM devices d JOIN account_keys k ON k.user_id = d.user_id WHERE d.signature_key <> ALL (k.listed);
