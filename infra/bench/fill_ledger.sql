-- Old orders number :first to :last, as orders, stock-publisher and erp-bridge keep what was reported and delivered
-- long ago: one line each, placed 390 to 30 days ago, evenly over three shops. The canonical form is shortened: nobody
-- reads it. Closed order lines are no part of any partial index, as in earnest.
SET synchronous_commit = off;
-- The rows name only batches that are written here; checking each of them takes as long as writing it.
SET session_replication_role = replica;

CREATE TEMPORARY TABLE old AS
SELECT (ARRAY['hanoi', 'saigon', 'danang'])[1 + n % 3] AS shop, (500000000 + n)::text AS id,
    date_trunc('day', now()) - interval '30 days' - make_interval(secs => (n % 31104000)) AS placed,
    'SKU-' || (n % 2000) AS sku, 1 + n % 3 AS units, md5(n::text) || md5((n + 1)::text) AS digest,
    format('{"shop":"%s","externalID":"%s","number":"%s","lines":[{"id":"1","sku":"SKU-%s","quantity":"%s"}],'
           '"totals":{"total":"330000"}}', (ARRAY['hanoi', 'saigon', 'danang'])[1 + n % 3], 500000000 + n,
           500000000 + n, n % 2000, 1 + n % 3) AS facts
FROM generate_series(:first, :last) AS n;
ALTER TABLE old ADD COLUMN batch text;
UPDATE old SET batch = shop || '-' || to_char(placed, 'YYYYMMDD') || '-1200';

INSERT INTO orders.orders (shop, external_id, number, revision, state_version, digest, updated_at, placed_at, learnt_at,
    read_at, facts, lines, first_sent_at, report_sent_at, sent_batch, sent_revision, sent_state_version)
SELECT shop, id, id, 1, 1, digest, placed, placed, placed + interval '5 seconds', placed, facts,
    format('[{"lineID":"1","erpCode":"%s","unitsPerPack":1,"erpQuantity":"%s"}]', sku, units),
    placed + interval '6 hours', placed + interval '6 hours', batch, 1, 1
FROM old;
INSERT INTO orders.revisions (shop, external_id, revision, digest, updated_at, learnt_at, via, facts)
SELECT shop, id, 1, digest, placed, placed + interval '5 seconds', 'pass', facts FROM old;
INSERT INTO orders.history (shop, external_id, at, revision, state_version, what, detail)
SELECT shop, id, placed + interval '6 hours', 1, 1, 'reported', batch FROM old;

INSERT INTO publishing.orders (shop, external_id, revision, state_version, placed_at, awaits_payment)
SELECT shop, id, 1, 1, placed, false FROM old;
INSERT INTO publishing.order_lines (shop, external_id, line_id, erp_code, quantity, listing, shelf, taken,
    reported_quantity, reported_at, is_open, is_reflected)
SELECT shop, id, '1', sku, units, '9' || id, '9' || id, units, units, placed + interval '6 hours', false, true FROM old;

INSERT INTO erp.reports (id, shop, due, state, requested_by, requested_at, sent_at)
SELECT DISTINCT batch, shop, to_date(split_part(batch, '-', 2), 'YYYYMMDD') + time '12:00', 'sent', 'schedule',
    to_date(split_part(batch, '-', 2), 'YYYYMMDD') + time '12:00',
    to_date(split_part(batch, '-', 2), 'YYYYMMDD') + time '12:01'
FROM old ON CONFLICT DO NOTHING;
INSERT INTO erp.orders (shop, external_id, number, placed_at, revision, state_version, statement, digest, withdrawn,
    cancelled, held, awaits_payment, holds, carried, open)
SELECT shop, id, id, placed, 1, 1, 1, digest, false, false, false, false, '[]', 1, false FROM old;
INSERT INTO erp.statements (shop, external_id, statement, revision, state_version, payload, updated_at, learnt_at,
    batch_id)
SELECT shop, id, 1, 1, 1, facts, placed, placed + interval '5 seconds', batch FROM old;
INSERT INTO erp.entries (batch_id, build, shop, external_id, place, statement, revision, state_version, repeats,
    awaits_payment, holds)
SELECT batch, 1, shop, id, 'lines', 1, 1, 1, false, false, '[]' FROM old;
