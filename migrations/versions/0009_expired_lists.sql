-- The time at which a list expires is in its bytes 48 to 55: crypto/device_lists.py. Clocks may differ by an hour.
CREATE OR REPLACE VIEW unlisted_devices AS
SELECT d.id FROM devices d JOIN account_keys k ON k.user_id = d.user_id
WHERE d.signature_key <> ALL (k.listed)
OR ('x' || encode(substring(k.device_list FROM 48 FOR 8), 'hex'))::bit(64)::bigint < extract(epoch FROM now()) - 3600;
