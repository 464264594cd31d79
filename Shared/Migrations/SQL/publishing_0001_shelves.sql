-- What the shops should show, and how it got there.
SELECT shared.create_messaging_tables('publishing');

CREATE TABLE publishing.sources (
    source text PRIMARY KEY,
    snapshot_id uuid NOT NULL,
    sequence bigint NOT NULL,
    as_of timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    file_name text NOT NULL,
    chunks int NOT NULL,
    run_id text NOT NULL
);

-- Which chunks of a snapshot have been applied; they may come before their header.
CREATE TABLE publishing.chunks (
    snapshot_id uuid NOT NULL,
    part int NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (snapshot_id, part)
);

CREATE TABLE publishing.stock (
    source text NOT NULL,
    sku text COLLATE "C" NOT NULL,
    warehouse text COLLATE "C" NOT NULL,
    on_hand numeric(18, 6) NOT NULL,
    reserved numeric(18, 6),
    line bigint,
    snapshot_id uuid NOT NULL,
    sequence bigint NOT NULL,
    as_of timestamptz NOT NULL,
    PRIMARY KEY (source, sku, warehouse)
) WITH (fillfactor = 80);
CREATE INDEX stock_by_sku ON publishing.stock (sku);

CREATE TABLE publishing.shops (
    shop text PRIMARY KEY,
    -- A shop's first push waits for an operator.
    shadow boolean NOT NULL DEFAULT true,
    shadow_changed_by text,
    shadow_changed_at timestamptz,
    settings_digest text,
    -- The mapping has to be worked out anew; a run does not end before that.
    remap_pending boolean NOT NULL DEFAULT false,
    catalogue_run text,
    catalogue_read_at timestamptz,
    catalogue_problem text
);

CREATE TABLE publishing.listings (
    shop text NOT NULL,
    listing text COLLATE "C" NOT NULL,
    -- Where the shop keeps the stock: several listings of one stock are one shelf.
    shelf text COLLATE "C" NOT NULL,
    sku text,
    title text NOT NULL,
    stock_managed boolean NOT NULL,
    published boolean NOT NULL,
    observed numeric(18, 6),
    observed_at timestamptz NOT NULL,
    catalogue_run text NOT NULL,
    mapping text NOT NULL DEFAULT 'unmapped' CHECK (mapping IN ('mapped', 'unmapped', 'ambiguous', 'blank')),
    erp_code text COLLATE "C",
    units_per_pack int,
    via text,
    candidates text[],
    PRIMARY KEY (shop, listing)
);
CREATE INDEX listings_by_shelf ON publishing.listings (shop, shelf);
CREATE INDEX listings_not_mapped ON publishing.listings (shop) WHERE mapping <> 'mapped';

CREATE TABLE publishing.aliases (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    shop_sku text,
    listing text,
    erp_code text NOT NULL,
    units_per_pack int NOT NULL CHECK (units_per_pack >= 1),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (num_nonnulls(shop_sku, listing) = 1)
);
CREATE UNIQUE INDEX aliases_by_sku ON publishing.aliases (shop, shop_sku, erp_code) WHERE shop_sku IS NOT NULL;
CREATE UNIQUE INDEX aliases_by_listing ON publishing.aliases (shop, listing, erp_code) WHERE listing IS NOT NULL;

-- The push table: one row a shelf. The columns are the fields of Domain's ShelfState, which holds the rules.
CREATE TABLE publishing.shelves (
    shop text NOT NULL,
    shelf text COLLATE "C" NOT NULL,
    erp_code text COLLATE "C",
    units_per_pack int NOT NULL DEFAULT 1,
    wanted int,
    version bigint NOT NULL DEFAULT 0,
    cause timestamptz,
    increase_since timestamptz,
    reserved_for text[] NOT NULL DEFAULT '{}',
    sent_version bigint NOT NULL DEFAULT 0,
    sent int,
    confirmed_version bigint NOT NULL DEFAULT 0,
    confirmed_level int,
    confirmed_at timestamptz,
    last_pushed_at timestamptz,
    expected_at_shop int,
    known_from timestamptz,
    known_to timestamptz,
    claim_number bigint NOT NULL DEFAULT 0,
    claim json,
    unknown_until timestamptz,
    read_back_required boolean NOT NULL DEFAULT false,
    rejected_version bigint,
    rejection text,
    failures int NOT NULL DEFAULT 0,
    failure text,
    mismatches int NOT NULL DEFAULT 0,
    held text,
    deferral text,
    -- Derived from the above by the rule ShelfState.isDue and ShelfState.wakeAt, to find rows by.
    due boolean NOT NULL DEFAULT false,
    wake_at timestamptz,
    -- When a push was last asked for; what was lost is asked for again.
    requested_at timestamptz,
    PRIMARY KEY (shop, shelf)
) WITH (fillfactor = 60);
CREATE INDEX shelves_by_code ON publishing.shelves (erp_code);
CREATE INDEX shelves_due ON publishing.shelves (shop, requested_at) WHERE due;
CREATE INDEX shelves_to_wake ON publishing.shelves (wake_at) WHERE wake_at IS NOT NULL;

-- Why each wanted level is what it is: one row for every version of every shelf.
CREATE TABLE publishing.shelf_versions (
    shop text NOT NULL,
    shelf text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    wanted int,
    cause_kind text NOT NULL,
    cause_id text NOT NULL,
    decided_at timestamptz NOT NULL,
    breakdown text NOT NULL,
    PRIMARY KEY (shop, shelf, version)
);

-- What was sent to the shop and what it said.
CREATE TABLE publishing.pushes (
    shop text NOT NULL,
    shelf text COLLATE "C" NOT NULL,
    claim_number bigint NOT NULL,
    version bigint NOT NULL,
    level int NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    result text NOT NULL,
    answer text,
    replica text NOT NULL
);
CREATE INDEX pushes_by_shelf ON publishing.pushes (shop, shelf, ended_at);

CREATE TABLE publishing.holds (
    id uuid PRIMARY KEY,
    erp_code text COLLATE "C" NOT NULL,
    quantity numeric(18, 6) NOT NULL CHECK (quantity > 0),
    reason text NOT NULL,
    ends_at timestamptz NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text
);
CREATE INDEX holds_by_code ON publishing.holds (erp_code) WHERE ended_at IS NULL;
CREATE INDEX holds_by_end ON publishing.holds (ends_at) WHERE ended_at IS NULL;

-- One run of one shop: from a snapshot, or from the moment an operator let a shop out of shadow, to its six counts.
CREATE TABLE publishing.runs (
    id uuid PRIMARY KEY,
    shop text NOT NULL,
    cause text NOT NULL,
    source text,
    snapshot_id uuid,
    began_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    ended_at timestamptz,
    listed int NOT NULL DEFAULT 0,
    confirmed int NOT NULL DEFAULT 0,
    unchanged int NOT NULL DEFAULT 0,
    deferred int NOT NULL DEFAULT 0,
    unmapped int NOT NULL DEFAULT 0,
    rejected int NOT NULL DEFAULT 0,
    failed int NOT NULL DEFAULT 0,
    counted_at timestamptz,
    CHECK (listed = confirmed + unchanged + deferred + unmapped + rejected + failed)
);
CREATE INDEX runs_by_shop ON publishing.runs (shop, began_at);
CREATE INDEX runs_open ON publishing.runs (shop) WHERE ended_at IS NULL;
