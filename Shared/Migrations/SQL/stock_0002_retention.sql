-- The rows of a file leave some time after another file has replaced it; the snapshot itself stays.

-- When they left; null while they are kept. Says to a reader that there were rows.
ALTER TABLE stock.snapshots ADD COLUMN rows_removed_at timestamptz;

-- safe: one row a file, and a source has a file or a few a day
CREATE INDEX snapshots_with_rows ON stock.snapshots (received_at) WHERE rows_removed_at IS NULL;
