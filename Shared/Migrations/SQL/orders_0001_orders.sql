-- Every order of every shop, with its revisions.
SELECT shared.create_messaging_tables('orders');

-- One row a shop: how far its orders are known.
CREATE TABLE orders.feeds (
    shop text PRIMARY KEY,
    -- Every order that the shop changed before this is in the ledger: by the shop's clock, and by ours.
    cursor_at timestamptz,
    complete_up_to timestamptz,
    -- Seconds by which the shop's clock is ahead of ours.
    clock_ahead double precision,
    clock_measured_at timestamptz,
    -- When the next scheduled pass is due, by the service's clock.
    next_pass_at timestamptz NOT NULL DEFAULT '-infinity',
    -- A message that asks for a pass is under way since then (machine time); no second one is sent meanwhile.
    pass_asked_at timestamptz,
    -- What went wrong last, as a sentence; NULL after a pass that went well.
    problem text,
    failures int NOT NULL DEFAULT 0,
    last_pass_at timestamptz,
    last_repair_at timestamptz,
    -- When the shop's webhook subscriptions were last looked at, and what was wrong with them.
    webhooks_checked_at timestamptz,
    webhooks_problem text
);

-- Conditions that people were told of and that are still open.
CREATE TABLE orders.open_conditions (
    condition text PRIMARY KEY,
    shop text NOT NULL,
    raised_at timestamptz NOT NULL
);

-- Who works on a shop's feed: one pass and one repair at a time. Machine time.
CREATE TABLE orders.leases (
    shop text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pass', 'repair')),
    owner text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (shop, kind)
);

-- Who asked for a pass and waits for the orders.collected that names the request.
CREATE TABLE orders.pass_requests (
    shop text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pass', 'repair')),
    request uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (shop, kind, request)
);

-- The ledger: one row an order, its newest revision with what we added to it.
CREATE TABLE orders.orders (
    shop text NOT NULL,
    -- The platform's own id; `shop:external_id` is the order's reference everywhere.
    external_id text COLLATE "C" NOT NULL,
    -- What customers and the shop's people call it.
    number text COLLATE "C" NOT NULL,
    -- The version that events carry; the highest pair wins.
    revision int NOT NULL,
    state_version int NOT NULL,
    -- SHA-256 of the canonical form, the time of the last change left out.
    digest text NOT NULL,
    updated_at timestamptz NOT NULL,
    placed_at timestamptz NOT NULL,
    -- When we learnt of this revision, and when the reading was begun that the facts come from; by our clock.
    learnt_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    -- Domain's Order as JSON. Holds personal data.
    facts text NOT NULL,
    -- Domain's [OrderLineMapping] and [OrderHold] as JSON; `[]` when nothing keeps it back.
    lines text NOT NULL,
    holds text NOT NULL DEFAULT '[]',
    -- The codes of `holds`, to find by; held_at is NULL when nothing keeps it back.
    hold_codes text[] NOT NULL DEFAULT '{}',
    held_at timestamptz,
    -- Causes that a person let go: [OrderHold] as JSON.
    released text NOT NULL DEFAULT '[]',
    -- NULL, requested, pending_erp, cancelled (final) or refused (shipped).
    cancellation text CHECK (cancellation IN ('requested', 'pending_erp', 'cancelled', 'refused')),
    -- When its units stop counting if it is still unpaid.
    reserved_until timestamptz,
    -- What is wrong with the shop's newest answer about it.
    unreadable text,
    -- What the ERP was told: first and newest batch, with the version that the newest carried.
    first_sent_at timestamptz,
    report_sent_at timestamptz,
    sent_batch text,
    sent_revision int,
    sent_state_version int,
    sent_as_cancelled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (shop, external_id)
) WITH (fillfactor = 80);
CREATE INDEX orders_by_placed ON orders.orders (shop, placed_at);
CREATE INDEX orders_by_number ON orders.orders (number);
CREATE INDEX orders_held ON orders.orders (shop, held_at) WHERE held_at IS NOT NULL;
CREATE INDEX orders_unreported ON orders.orders (shop, external_id) WHERE report_sent_at IS NULL;

-- Every revision as the shop stated it; for `explain order`. Holds personal data.
CREATE TABLE orders.revisions (
    shop text NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    revision int NOT NULL,
    digest text NOT NULL,
    updated_at timestamptz NOT NULL,
    learnt_at timestamptz NOT NULL,
    -- How we learnt of it: pass, webhook, repair or collect.
    via text NOT NULL CHECK (via IN ('pass', 'webhook', 'repair', 'collect')),
    facts text NOT NULL,
    PRIMARY KEY (shop, external_id, revision)
);

-- What happened to an order besides its revisions: held, free, released, cancellation, reassessed, reported, deleted,
-- refused (a transition that the table of states does not allow; it was not applied).
CREATE TABLE orders.history (
    shop text NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    revision int NOT NULL,
    state_version int NOT NULL,
    what text NOT NULL,
    detail text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX history_by_order ON orders.history (shop, external_id, position);

-- The lines of orders that the ERP has not been told of: what a change of the mapping concerns. A row leaves when its
-- order is reported or cancelled for good, so this stays small however large the ledger is.
CREATE TABLE orders.open_lines (
    shop text NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    line text NOT NULL,
    listing text COLLATE "C",
    sku text COLLATE "C",
    -- NULL while the line waits for a mapping.
    erp_code text COLLATE "C",
    PRIMARY KEY (shop, external_id, line)
);
CREATE INDEX open_lines_by_listing ON orders.open_lines (shop, listing) WHERE listing IS NOT NULL;
CREATE INDEX open_lines_by_sku ON orders.open_lines (shop, sku) WHERE sku IS NOT NULL;
CREATE INDEX open_lines_waiting ON orders.open_lines (shop, external_id) WHERE erp_code IS NULL;

-- What the shops' listings are in the ERP, as stock-publisher said last (mapping.changed).
CREATE TABLE orders.mapping (
    shop text NOT NULL,
    listing text COLLATE "C" NOT NULL,
    sku text COLLATE "C",
    state text NOT NULL CHECK (state IN ('mapped', 'unmapped', 'ambiguous', 'blank', 'gone')),
    erp_code text COLLATE "C",
    units_per_pack int NOT NULL,
    -- An entry of a lower sequence never replaces one of a higher.
    sequence bigint NOT NULL,
    PRIMARY KEY (shop, listing)
);
CREATE INDEX mapping_by_sku ON orders.mapping (shop, sku) WHERE sku IS NOT NULL;

-- One row a shop, locked shared by whoever assesses orders and exclusively by whoever changes the mapping, so that no
-- order is assessed with a mapping that has changed without being assessed again.
CREATE TABLE orders.mapping_states (
    shop text PRIMARY KEY,
    sequence bigint,
    asked_at timestamptz,
    -- What the holds were last worked out with; a changed configuration works them out anew.
    settings_digest text
);

-- Webhooks that were taken; the same delivery again is dropped. Leave after a week.
CREATE TABLE orders.webhook_deliveries (
    shop text NOT NULL,
    delivery_id text NOT NULL,
    external_id text NOT NULL,
    topic text NOT NULL,
    sent_at timestamptz,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (shop, delivery_id)
);
CREATE INDEX webhook_deliveries_by_age ON orders.webhook_deliveries (received_at);

-- Orders that a shop names, that we never could read, and so are not in the ledger.
CREATE TABLE orders.unreadable (
    shop text NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    updated_at timestamptz,
    problem text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (shop, external_id)
);

-- One row a night and shop: what the repair found, for the operator.
CREATE TABLE orders.repairs (
    shop text NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    seen int NOT NULL,
    -- Orders of the same days in the ledger that the shop did not name.
    not_named int NOT NULL,
    repaired int NOT NULL,
    PRIMARY KEY (shop, began_at)
);
