ALTER TABLE account_keys DROP COLUMN omitted;
