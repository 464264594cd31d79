-- The levels before a snapshot of which one row in twenty differs.
INSERT INTO bench.levels (sku, warehouse, on_hand)
SELECT 'HS' || 1000000 + number / 2, CASE number % 2 WHEN 0 THEN 'HN' ELSE 'HCM' END, number
FROM generate_series(0, :count - 1) AS number;
ANALYZE bench.levels;
