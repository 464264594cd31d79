-- :count dead letters of eight shops and five kinds of errors, two kilobytes each.
INSERT INTO dead_letters.letters (
    service, queue, identity, topic, data_schema, subject, correlation, shop, items, properties, body, error_class,
    error_code, error_message, fingerprint, attempts, first_failed_at, failed_at, archived_at, death, state_at)
SELECT 'stock-publisher', 'stock-publisher.push.shop' || number % 8, gen_random_uuid(), 'stock-publisher.push',
    'urn:stockbridge:stock-publisher.push:1', 'shop' || number % 8, 'run-20261121-0600', 'shop' || number % 8,
    ARRAY(SELECT 'shop/' || number * 10 + item FROM generate_series(1, 10) item),
    '{"texts":{"filler":"' || repeat(md5(number::text), 20) || '"}}',
    convert_to(repeat(md5(number::text), 30), 'UTF8'), 'permanent', 'shop.malformed-' || number % 5,
    'The shop answered with something that is no JSON; nothing was written.',
    'stock-publisher.push.shop' || number % 8 || '|stock-publisher.push|shop.malformed-' || number % 5, 5,
    clock_timestamp(), clock_timestamp(), clock_timestamp(), sha256(number::text::bytea), clock_timestamp()
FROM generate_series(1, :count) number;
