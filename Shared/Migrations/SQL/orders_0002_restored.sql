-- After the database was restored to an earlier moment: what was said of orders meanwhile and is forgotten here.

-- Revisions that were handed out between that moment and the restore. An order that is learnt of anew goes on above
-- its own, so that nobody outside ever sees a revision go back. Filled by `stockbridge after-restore`.
CREATE TABLE orders.restored (
    shop text NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    revision int NOT NULL,
    PRIMARY KEY (shop, external_id)
);
