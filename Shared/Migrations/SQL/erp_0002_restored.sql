-- After the database was restored to an earlier moment: what the ERP was told meanwhile.

-- Orders that stand in reports which were mailed between that moment and the restore, as those reports say; a row
-- leaves once the order is heard of again and its place in erp.statements is known. Filled by
-- `stockbridge after-restore` from the reports themselves.
CREATE TABLE erp.restored (
    shop text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    -- The newest of those reports.
    batch_id text NOT NULL REFERENCES erp.reports,
    place text NOT NULL CHECK (place IN ('lines', 'changes')),
    revision int NOT NULL,
    -- Domain's ReportedContent as JSON.
    content text NOT NULL,
    -- Up to when the shop's orders were known to that report; null: nobody knows.
    known_up_to timestamptz,
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (shop, external_id)
);
