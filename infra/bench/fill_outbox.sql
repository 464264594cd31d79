-- An outbox as the chain leaves it.
INSERT INTO bench.outbox (id, exchange, routing_key, headers, body)
SELECT id, 'stockbridge.events', 'bench.recorded',
    format(E'cloudEvents_specversion\t1.0\ncloudEvents_id\t%s\ncloudEvents_type\tbench.recorded\n'
        'cloudEvents_source\t/stockbridge/notifier\ncloudEvents_subject\tHS%s\n'
        'cloudEvents_time\t2026-11-21T06:00:00.000Z\ncloudEvents_dataschema\turn:stockbridge:bench.recorded:1\n'
        'correlation-id\trun-20261121-0600\ntraceparent\t00-%s-%s-01',
        id, 1000000 + number, md5(number::text), left(md5('span' || number), 16)),
    format('{"cause":"%s","note":"recorded by the benchmark, as a service would","on_hand":%s,"sku":"HS%s"}',
        gen_random_uuid(), number % 2000, 1000000 + number)
FROM (SELECT gen_random_uuid() AS id, number FROM generate_series(1, :count) AS number) AS made;
ANALYZE bench.outbox;
