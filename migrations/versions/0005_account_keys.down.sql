DROP VIEW unlisted_devices;
DROP TABLE links;
DROP TABLE account_keys;
