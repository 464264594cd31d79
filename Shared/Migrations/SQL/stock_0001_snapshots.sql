-- What the sources said: every file, every row of it, and the stock that is live.
SELECT shared.create_messaging_tables('stock');

CREATE TABLE stock.snapshots (
    id uuid PRIMARY KEY,
    source text NOT NULL,
    -- Ours, increasing per source; given when the snapshot goes live.
    sequence bigint,
    file_name text NOT NULL,
    file_id uuid NOT NULL,
    digest text NOT NULL,
    -- When the ERP extracted it. Of an unreadable file, the best that is known: the file's time, else when it came.
    as_of timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    run_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('loading', 'held', 'live', 'replaced', 'rejected', 'refused', 'unreadable')),
    reasons text NOT NULL DEFAULT '[]',
    rows_read bigint NOT NULL DEFAULT 0,
    rows_aggregated bigint NOT NULL DEFAULT 0,
    rows_set_aside bigint NOT NULL DEFAULT 0,
    rows_merged bigint NOT NULL DEFAULT 0,
    skus bigint NOT NULL DEFAULT 0,
    units numeric(24, 6) NOT NULL DEFAULT 0,
    changed_skus bigint NOT NULL DEFAULT 0,
    -- Accepted rows whose quantity was below zero, which counts as 0, or had a fraction.
    rows_negative bigint NOT NULL DEFAULT 0,
    rows_fractional bigint NOT NULL DEFAULT 0,
    -- The first of those rows, with what the file says.
    notes text NOT NULL DEFAULT '[]',
    -- What became of it, as a sentence.
    message text NOT NULL DEFAULT '',
    decided_by text,
    decided_at timestamptz,
    decision_reason text,
    CHECK (state = 'loading' OR rows_read = rows_aggregated + rows_set_aside + rows_merged)
);
CREATE UNIQUE INDEX snapshots_by_sequence ON stock.snapshots (source, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX snapshots_by_source ON stock.snapshots (source, received_at);
CREATE INDEX snapshots_by_digest ON stock.snapshots (source, digest, as_of);

CREATE TABLE stock.snapshot_rows (
    snapshot_id uuid NOT NULL REFERENCES stock.snapshots (id) ON DELETE CASCADE,
    sku text COLLATE "C" NOT NULL,
    warehouse text COLLATE "C" NOT NULL,
    on_hand numeric(18, 6) NOT NULL,
    reserved numeric(18, 6),
    line bigint NOT NULL,
    PRIMARY KEY (snapshot_id, sku, warehouse)
);

CREATE TABLE stock.set_aside_rows (
    snapshot_id uuid NOT NULL REFERENCES stock.snapshots (id) ON DELETE CASCADE,
    line bigint NOT NULL,
    raw text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX set_aside_rows_by_snapshot ON stock.set_aside_rows (snapshot_id, line);

-- The live statement about each (source, SKU, warehouse); a row says which snapshot last changed it.
CREATE TABLE stock.live (
    source text NOT NULL,
    sku text COLLATE "C" NOT NULL,
    warehouse text COLLATE "C" NOT NULL,
    on_hand numeric(18, 6) NOT NULL,
    reserved numeric(18, 6),
    -- The line in that snapshot's file; NULL for a zero that stands for a missing SKU.
    line bigint,
    snapshot_id uuid NOT NULL,
    -- In how many snapshots in a row it was missing, counted no further than the source's rule needs.
    missing_for int NOT NULL DEFAULT 0,
    PRIMARY KEY (source, sku, warehouse)
) WITH (fillfactor = 80);

-- One row a source: what is live, and the lock that two replicas with two files of one source wait for.
CREATE TABLE stock.sources (
    source text PRIMARY KEY,
    last_sequence bigint NOT NULL DEFAULT 0,
    live_snapshot uuid,
    live_as_of timestamptz,
    live_digest text
);

-- Every version of a file that was looked into, so that none is fetched twice. A new size or time is a new version.
CREATE TABLE stock.files (
    source text NOT NULL,
    -- Name, size, time and HTTP entity tag as one text.
    version text NOT NULL,
    name text NOT NULL,
    digest text,
    snapshot_id uuid,
    outcome text NOT NULL CHECK (
        outcome IN ('live', 'held', 'unchanged', 'refused', 'unreadable', 'passed_over')),
    run_id text NOT NULL,
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (source, version)
);

-- What a run of a source saw and did.
CREATE TABLE stock.pickups (
    run_id text NOT NULL,
    source text NOT NULL,
    -- When the file was due; NULL for a run that a person asked for.
    due timestamptz,
    began_at timestamptz NOT NULL,
    last_look_at timestamptz NOT NULL,
    looks int NOT NULL DEFAULT 0,
    -- Looks in a row that did not reach the source.
    failures int NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('looking', 'done', 'failed', 'superseded')),
    outcome text,
    snapshot_id uuid,
    -- Versions of files at the last look with the time each was seen first, to see whether they still grow.
    seen text NOT NULL DEFAULT '{}',
    -- What became of each file of this run.
    results text NOT NULL DEFAULT '[]',
    PRIMARY KEY (run_id, source)
);
CREATE INDEX pickups_by_source ON stock.pickups (source, began_at);

-- Alerts that were raised and not cleared.
CREATE TABLE stock.open_conditions (
    condition text PRIMARY KEY,
    source text NOT NULL,
    kind text NOT NULL,
    raised_at timestamptz NOT NULL
);
CREATE INDEX open_conditions_by_source ON stock.open_conditions (source, kind);
