-- What notifier watches over: how long the oldest event of each service waits to be published.
CREATE FUNCTION shared.outbox_states()
RETURNS TABLE (service text, oldest_seconds double precision, last_error text)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT o.service, extract(epoch FROM clock_timestamp() - o.created_at)::float8, o.last_error
    FROM (
        (SELECT 'stock-ingestor' AS service, created_at, last_error FROM stock.outbox ORDER BY position LIMIT 1)
        UNION ALL
        (SELECT 'stock-publisher', created_at, last_error FROM publishing.outbox ORDER BY position LIMIT 1)
        UNION ALL
        (SELECT 'order-collector', created_at, last_error FROM orders.outbox ORDER BY position LIMIT 1)
        UNION ALL
        (SELECT 'erp-bridge', created_at, last_error FROM erp.outbox ORDER BY position LIMIT 1)
        UNION ALL
        (SELECT 'reconciler', created_at, last_error FROM reconciliation.outbox ORDER BY position LIMIT 1)
        UNION ALL
        (SELECT 'notifier', created_at, last_error FROM notifications.outbox ORDER BY position LIMIT 1)
    ) AS o;
$body$;
