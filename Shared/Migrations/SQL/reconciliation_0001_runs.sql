-- What the shops showed, and what they should have shown.
SELECT shared.create_messaging_tables('reconciliation');

-- What stock-publisher says a shop should show: one row a statement, complete once all its parts are here. The newest
-- complete statement of a whole shop is kept, older ones go once no open run needs them.
CREATE TABLE reconciliation.statements (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop text NOT NULL,
    id uuid NOT NULL,
    request uuid,
    taken_at timestamptz NOT NULL,
    cause text,
    snapshot_id uuid,
    sources text NOT NULL DEFAULT '[]',
    is_whole boolean NOT NULL DEFAULT false,
    is_shadow boolean NOT NULL DEFAULT false,
    chunks int,
    received int NOT NULL DEFAULT 0,
    is_complete boolean NOT NULL DEFAULT false,
    UNIQUE (shop, id, taken_at)
);

CREATE TABLE reconciliation.statement_parts (
    statement bigint NOT NULL REFERENCES reconciliation.statements ON DELETE CASCADE,
    part int NOT NULL,
    PRIMARY KEY (statement, part)
);

-- Sorted by byte order, so that two sides can be merged as they come. No foreign key: a hundred thousand checks a day
-- and shop would buy nothing, since rows are written and removed with their statement only.
CREATE TABLE reconciliation.statement_listings (
    statement bigint NOT NULL,
    listing text COLLATE "C" NOT NULL,
    shelf text COLLATE "C" NOT NULL,
    sku text COLLATE "C",
    title text NOT NULL,
    mapping text NOT NULL,
    candidates text NOT NULL,
    erp_code text COLLATE "C",
    units_per_pack int NOT NULL,
    wanted int,
    breakdown text NOT NULL,
    as_of timestamptz,
    is_missing_in_file boolean NOT NULL,
    confirmed int,
    expected_at_shop int,
    is_pending boolean NOT NULL,
    last_pushed_at timestamptz,
    outcome text NOT NULL,
    answer text,
    PRIMARY KEY (statement, listing)
);

-- Orders as far as they explain stock and are counted. No personal data.
CREATE TABLE reconciliation.orders (
    shop text NOT NULL,
    external_id text NOT NULL,
    revision int NOT NULL,
    state_version int NOT NULL,
    placed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    currency text NOT NULL,
    total bigint NOT NULL,
    is_held boolean NOT NULL,
    is_cancelled boolean NOT NULL,
    -- When the units that the order takes changed last: by the shop's clock, and when we learnt of it.
    moved_at timestamptz NOT NULL,
    learnt_at timestamptz NOT NULL,
    PRIMARY KEY (shop, external_id)
);
CREATE INDEX orders_by_placing ON reconciliation.orders (shop, placed_at);
CREATE INDEX orders_by_movement ON reconciliation.orders (shop, learnt_at);

CREATE TABLE reconciliation.order_lines (
    shop text NOT NULL,
    external_id text NOT NULL,
    line_id text NOT NULL,
    listing text,
    sku text,
    erp_code text,
    quantity bigint NOT NULL,
    PRIMARY KEY (shop, external_id, line_id),
    FOREIGN KEY (shop, external_id) REFERENCES reconciliation.orders ON DELETE CASCADE
);

-- What was handed to the ERP. An order may be in several batches, but the same revision of it in one only.
CREATE TABLE reconciliation.reported_orders (
    shop text NOT NULL,
    external_id text NOT NULL,
    batch_id text NOT NULL,
    revision int NOT NULL,
    state_version int NOT NULL,
    is_cancellation boolean NOT NULL,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (shop, external_id, batch_id)
);
CREATE INDEX reported_by_time ON reconciliation.reported_orders (sent_at);

-- Up to when a shop's orders are known.
CREATE TABLE reconciliation.feeds (
    shop text PRIMARY KEY,
    complete_up_to timestamptz NOT NULL
);

-- A comparison of several shops. `cause` is 'snapshot <id>', 'command <id>' or 'mail'.
CREATE TABLE reconciliation.runs (
    id uuid PRIMARY KEY,
    day text NOT NULL,
    cause text NOT NULL,
    opened_at timestamptz NOT NULL,
    -- When its first statement was taken, by stock-publisher's clock: a run never gives way to an older one.
    statement_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'superseded')),
    -- Why a report is wanted now: 'settled' or 'time'.
    report_due text,
    report_failures int NOT NULL DEFAULT 0,
    report_not_before timestamptz,
    command_id uuid,
    closed_at timestamptz,
    UNIQUE (day, cause)
);
CREATE INDEX runs_open ON reconciliation.runs (opened_at) WHERE state = 'open';

-- A shop's part. waiting: for its statement; reading: the catalogue; asked: for a fresh statement about what differs;
-- rereading: what differs; settling: its orders are waited for; done; skipped: it cannot be compared.
CREATE TABLE reconciliation.run_shops (
    run uuid NOT NULL REFERENCES reconciliation.runs ON DELETE CASCADE,
    shop text NOT NULL,
    position int NOT NULL,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'reading', 'asked', 'rereading', 'settling', 'done', 'skipped')),
    problem text,
    -- Ties a statement to who asked for it, and a reading to its rows.
    request uuid,
    statement bigint,
    fresh_statement bigint,
    cursor text,
    reading uuid,
    read_from timestamptz,
    read_to timestamptz,
    wait_until timestamptz,
    compared int NOT NULL DEFAULT 0,
    ok_count int NOT NULL DEFAULT 0,
    categories text NOT NULL DEFAULT '{}',
    orders_from timestamptz,
    orders_to timestamptz,
    orders text,
    done_at timestamptz,
    PRIMARY KEY (run, shop)
);
CREATE INDEX run_shops_by_request ON reconciliation.run_shops (request);
CREATE INDEX run_shops_by_shop ON reconciliation.run_shops (shop, done_at);

-- The first look at a shop. Loaded by COPY, page by page, and removed with its run.
CREATE TABLE reconciliation.readings (
    reading uuid NOT NULL,
    listing text COLLATE "C" NOT NULL,
    shelf text COLLATE "C" NOT NULL,
    sku text COLLATE "C",
    title text NOT NULL,
    quantity bigint,
    is_tracked boolean NOT NULL,
    is_published boolean NOT NULL,
    read_from timestamptz NOT NULL,
    read_to timestamptz NOT NULL
);
CREATE INDEX readings_sorted ON reconciliation.readings (reading, listing);

-- What was not plainly right at the first look, with both looks, and the verdict.
CREATE TABLE reconciliation.differences (
    run uuid NOT NULL,
    shop text NOT NULL,
    listing text COLLATE "C" NOT NULL,
    shelf text COLLATE "C" NOT NULL,
    category text NOT NULL,
    shares_sku boolean NOT NULL,
    second_look text NOT NULL DEFAULT 'none' CHECK (second_look IN ('none', 'wanted', 'gone', 'read')),
    first_found boolean NOT NULL,
    first_quantity bigint,
    first_tracked boolean,
    first_published boolean,
    second_quantity bigint,
    second_tracked boolean,
    sku text,
    erp_code text,
    title text NOT NULL,
    expected int,
    breakdown text NOT NULL DEFAULT '',
    observed bigint,
    read_from timestamptz,
    read_to timestamptz,
    stated_at timestamptz,
    last_pushed_at timestamptz,
    answer text,
    age_days int NOT NULL DEFAULT 0,
    action text NOT NULL DEFAULT '',
    PRIMARY KEY (run, shop, listing)
);

-- Since when a listing is different, over the days.
CREATE TABLE reconciliation.findings (
    shop text NOT NULL,
    listing text NOT NULL,
    category text NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    PRIMARY KEY (shop, listing)
);

-- Orders that are not the same in shop, hub and ERP.
CREATE TABLE reconciliation.order_findings (
    run uuid NOT NULL,
    shop text NOT NULL,
    external_id text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (run, shop, external_id, kind)
);

-- The mails of a day: one by the set time, one later update, never a third.
CREATE TABLE reconciliation.days (
    day text PRIMARY KEY,
    mails int NOT NULL DEFAULT 0,
    is_complete boolean NOT NULL DEFAULT false,
    workbook_id uuid
);
