-- What was handed to the ERP: order reports (.xlsx), each a batch with an id of its own.
--
-- For `report list`: erp.reports, one row a report; erp.resendings, each time its file was mailed again.
-- For `explain order`: erp.orders (what we know now), erp.statements (everything there was to say about it, and which
-- batch said it), erp.entries (where it stood in which batch, and on Held why it was left out).
SELECT shared.create_messaging_tables('erp');

-- How far each shop's orders are known, as orders.collected says; no row: never collected.
CREATE TABLE erp.feeds (
    shop text PRIMARY KEY,
    complete_up_to timestamptz NOT NULL,
    collected_at timestamptz NOT NULL,
    placed_today int NOT NULL DEFAULT 0
);

-- One row a report, from the moment it was due or asked for. `id` is the batch id: <shop>-<yyyyMMdd>-<HHmm>, the due
-- time by the shop's clock. Schedules, repeated commands and replays of one due time all mean the same row.
CREATE TABLE erp.reports (
    id text PRIMARY KEY,
    shop text NOT NULL,
    due timestamptz NOT NULL,
    -- requested: waits until the shop's earlier reports are finished. collecting: waits until the shop's orders are
    -- known up to `due`, at most until wait_until. ready: to be built. built: the file is stored. sending: handed to
    -- the mail server at least once, with no answer yet. sent: the ERP's mail server took it. failed: it was refused
    -- for good (last_problem); tried again when the next one is due or an operator resends it. stored: there is no
    -- mailbox to send it to.
    state text NOT NULL DEFAULT 'requested'
        CHECK (state IN ('requested', 'collecting', 'ready', 'built', 'sending', 'sent', 'failed', 'stored')),
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    -- The pass that order-collector was asked for, and when last.
    collect_request uuid,
    collect_asked_at timestamptz,
    wait_until timestamptz,
    complete_since timestamptz,
    -- When the work was last asked for or tried; what was lost is asked for again.
    asked_at timestamptz,
    -- Counts the times that it was built; each before the last is a row of erp.voided_builds.
    build int NOT NULL DEFAULT 0,
    -- The workbook in shared.files, with its SHA-256, and the checksum over its rows that stands on Control.
    file_id uuid,
    file_name text,
    digest text,
    checksum text,
    built_at timestamptz,
    stored_at timestamptz,
    previous_batch text,
    window_from timestamptz,
    feed_complete_up_to timestamptz,
    feed_is_complete boolean,
    orders int NOT NULL DEFAULT 0,
    lines int NOT NULL DEFAULT 0,
    changes int NOT NULL DEFAULT 0,
    held int NOT NULL DEFAULT 0,
    -- Orders that were cancelled before they were ever sent, and revisions that a newer one in this batch replaces.
    cancelled_unsent int NOT NULL DEFAULT 0,
    superseded int NOT NULL DEFAULT 0,
    -- ERP units on Lines, and the sums of the orders on Lines by currency (JSON object of decimal texts).
    units numeric(24, 6) NOT NULL DEFAULT 0,
    totals text NOT NULL DEFAULT '{}',
    -- Recorded before and after: a mail whose sending began and has no answer may have gone out.
    message_id text,
    first_sending_at timestamptz,
    sending_at timestamptz,
    lease_until timestamptz,
    attempts int NOT NULL DEFAULT 0,
    sent_at timestamptz,
    answer text,
    last_problem text,
    UNIQUE (shop, due)
);
CREATE INDEX reports_unfinished ON erp.reports (shop, due)
    WHERE state IN ('requested', 'collecting', 'ready', 'built', 'sending');

-- Files that were built and never sent, because an order in them was cancelled or changed before the first attempt.
CREATE TABLE erp.voided_builds (
    batch_id text NOT NULL REFERENCES erp.reports,
    build int NOT NULL,
    file_id uuid NOT NULL,
    digest text NOT NULL,
    built_at timestamptz NOT NULL,
    voided_at timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (batch_id, build)
);

-- The newest that is known of every order; what there is to say about it stands in erp.statements.
CREATE TABLE erp.orders (
    shop text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    number text NOT NULL,
    placed_at timestamptz NOT NULL,
    revision int NOT NULL,
    state_version int NOT NULL,
    -- The newest row of erp.statements, and its digest.
    statement int NOT NULL,
    digest text NOT NULL,
    -- Domain's ReportCandidate, which holds the rule of where an order stands.
    withdrawn boolean NOT NULL,
    cancelled boolean NOT NULL,
    held boolean NOT NULL,
    awaits_payment boolean NOT NULL,
    -- Why it is held, as JSON; since when it is held or waits for payment.
    holds text NOT NULL,
    held_since timestamptz,
    -- The newest statement that a batch carries; null: never sent.
    carried int,
    repeats boolean NOT NULL DEFAULT false,
    -- Whether the newest statement is still in no batch: the rows that a report looks at.
    open boolean NOT NULL,
    PRIMARY KEY (shop, external_id)
) WITH (fillfactor = 80);
CREATE INDEX orders_open ON erp.orders (shop, external_id) WHERE open;

-- Every revision and every change of mapping that was ever the newest, with its one fate: at most one of batch_id,
-- superseded_by and counted_by is set. A later batch carries, supersedes or counts what has none yet.
CREATE TABLE erp.statements (
    shop text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    statement int NOT NULL,
    revision int NOT NULL,
    state_version int NOT NULL,
    -- The order and what its lines are in the ERP, as JSON without updated_at. Holds personal data.
    payload text NOT NULL,
    updated_at timestamptz NOT NULL,
    learnt_at timestamptz NOT NULL,
    -- An operator asked for the order to be sent once more, and why.
    repeated_by text,
    repeat_reason text,
    -- The batch that carries it.
    batch_id text REFERENCES erp.reports,
    -- The batch that carries or counts a newer one of the same order instead.
    superseded_by text REFERENCES erp.reports,
    -- The batch that counted it as cancelled before it was ever sent.
    counted_by text REFERENCES erp.reports,
    PRIMARY KEY (shop, external_id, statement),
    CHECK (num_nonnulls(batch_id, superseded_by, counted_by) <= 1)
);
CREATE UNIQUE INDEX statements_by_version ON erp.statements (shop, external_id, revision, state_version)
    WHERE repeated_by IS NULL;
CREATE INDEX statements_by_batch ON erp.statements (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX statements_by_successor ON erp.statements (superseded_by) WHERE superseded_by IS NOT NULL;
CREATE INDEX statements_by_count ON erp.statements (counted_by) WHERE counted_by IS NOT NULL;

-- Where each order stood in each build of each batch; that of the report's own `build` is what counts.
CREATE TABLE erp.entries (
    batch_id text NOT NULL REFERENCES erp.reports,
    build int NOT NULL,
    shop text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    place text NOT NULL CHECK (place IN ('lines', 'changes', 'held', 'counted')),
    statement int NOT NULL,
    -- What was known of the order then.
    revision int NOT NULL,
    state_version int NOT NULL,
    -- The statement that a batch before this one carries; null: none.
    previous int,
    repeats boolean NOT NULL,
    awaits_payment boolean NOT NULL,
    holds text NOT NULL,
    held_since timestamptz,
    PRIMARY KEY (batch_id, build, external_id)
);
CREATE INDEX entries_by_order ON erp.entries (shop, external_id);

-- A batch mailed once more: the same bytes under the same batch id, as a mail of its own.
CREATE TABLE erp.resendings (
    batch_id text NOT NULL REFERENCES erp.reports,
    number int NOT NULL,
    message_id text NOT NULL UNIQUE,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    sending_at timestamptz,
    sent_at timestamptz,
    answer text,
    attempts int NOT NULL DEFAULT 0,
    last_problem text,
    PRIMARY KEY (batch_id, number)
);

-- Conditions that people were told of and that last.
CREATE TABLE erp.open_conditions (
    condition text PRIMARY KEY,
    shop text NOT NULL,
    raised_at timestamptz NOT NULL
);
