-- Open order lines and order feeds, as this service learnt them from events.

-- Whether a source's numbers are on hand or less the ERP's own orders, and the newest of its snapshots of which every
-- chunk has been applied: what no chunk of it names is restated as of then.
ALTER TABLE publishing.sources
    ADD COLUMN quantities text NOT NULL DEFAULT 'gross' CHECK (quantities IN ('gross', 'net')),
    ADD COLUMN complete_sequence bigint,
    ADD COLUMN complete_as_of timestamptz;

-- When each snapshot was taken; a code that is missing from a later one keeps the time of the last that stated it.
CREATE TABLE publishing.snapshots (
    source text NOT NULL,
    sequence bigint NOT NULL,
    as_of timestamptz NOT NULL,
    PRIMARY KEY (source, sequence)
);

-- The first and the last snapshot in a row that no longer named the code; null while it is stated.
ALTER TABLE publishing.stock
    ADD COLUMN missing_from bigint,
    ADD COLUMN missing_at bigint;
CREATE INDEX stock_missing ON publishing.stock (source) WHERE missing_from IS NOT NULL;

-- How far each shop's orders are known. A shop without a row is not collected yet, and counts as fresh.
CREATE TABLE publishing.feeds (
    shop text PRIMARY KEY,
    complete_up_to timestamptz NOT NULL,
    -- The feed was behind for so long that its shop's reserve is kept back by the whole pool.
    is_stale boolean NOT NULL DEFAULT false,
    -- When order-collector was last asked for a pass out of turn.
    asked_at timestamptz
);

-- The newest version known of each order, so that older events lose.
CREATE TABLE publishing.orders (
    shop text NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    state_version bigint NOT NULL,
    placed_at timestamptz NOT NULL,
    cancellation text,
    awaits_payment boolean NOT NULL,
    PRIMARY KEY (shop, external_id)
);
CREATE INDEX orders_by_age ON publishing.orders USING brin (placed_at);

-- One line of an order. A row may begin with its report, which can come before the order itself.
CREATE TABLE publishing.order_lines (
    shop text NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    line_id text COLLATE "C" NOT NULL,
    erp_code text COLLATE "C",
    -- The present quantity in ERP units.
    quantity numeric(18, 6) NOT NULL DEFAULT 0,
    listing text COLLATE "C",
    shelf text COLLATE "C",
    -- What the shop itself took off its stock for this line, in units of the listing, as far as we know.
    taken int NOT NULL DEFAULT 0,
    -- Its units count until then, as long as it is not paid.
    reserved_until timestamptz,
    -- What the ERP was told last about this line, and when it was told that quantity first.
    reported_quantity numeric(18, 6),
    reported_at timestamptz,
    -- When the ERP was told the present quantity; null as long as it was not.
    report_sent_at timestamptz GENERATED ALWAYS AS
        (CASE WHEN reported_quantity = quantity THEN reported_at END) STORED,
    -- The line may count for the levels: it has a code and a quantity, is not cancelled, its unpaid reserve has not run
    -- out, and it is not reflected everywhere for long. What is not leaves the index, however many orders there are.
    is_open boolean NOT NULL DEFAULT false,
    -- It was closed because it is reflected; only a change of the line itself opens it again.
    is_reflected boolean NOT NULL DEFAULT false,
    PRIMARY KEY (shop, external_id, line_id)
) WITH (fillfactor = 85);
CREATE INDEX order_lines_open ON publishing.order_lines (erp_code)
    INCLUDE (shop, quantity, report_sent_at, reserved_until) WHERE is_open;
CREATE INDEX order_lines_reserved ON publishing.order_lines (reserved_until)
    WHERE is_open AND reserved_until IS NOT NULL;
CREATE INDEX order_lines_reported ON publishing.order_lines (report_sent_at)
    WHERE is_open AND report_sent_at IS NOT NULL;

-- When an increase that waits for order feeds is looked at again even if no feed comes.
ALTER TABLE publishing.shelves ADD COLUMN ask_at timestamptz;
CREATE INDEX shelves_to_ask ON publishing.shelves (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX shelves_waiting ON publishing.shelves (shop) WHERE due AND deferral = 'feeds';

-- What was last said about each listing in `mapping.changed`, and under which number.
ALTER TABLE publishing.shops ADD COLUMN mapping_sequence bigint NOT NULL DEFAULT 0;
ALTER TABLE publishing.listings ADD COLUMN announced text;
