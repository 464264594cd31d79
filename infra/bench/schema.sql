-- What the benchmarks write to besides the outbox and the inbox, which shared.create_messaging_tables makes.
SELECT shared.create_messaging_tables('bench');
CREATE TABLE bench.effects (event_id uuid PRIMARY KEY, sku text NOT NULL, on_hand bigint NOT NULL);
CREATE TABLE bench.levels (
    sku text NOT NULL, warehouse text NOT NULL, on_hand bigint NOT NULL, PRIMARY KEY (sku, warehouse));
