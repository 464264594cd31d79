-- Files that go with a mail, by their ids in shared.files, and the picture that its HTML shows.
ALTER TABLE notifications.mails
    ADD COLUMN attachments uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN picture uuid;

-- Orders that are kept back from the ERP, to be told together.
CREATE TABLE notifications.held_orders (
    shop text NOT NULL,
    external_id text NOT NULL,
    number text NOT NULL,
    revision int NOT NULL,
    state_version int NOT NULL,
    -- Sentences; empty when it was released.
    reasons text[] NOT NULL,
    held_at timestamptz NOT NULL,
    -- The reasons that people were told; told again when they change.
    told_reasons text[],
    PRIMARY KEY (shop, external_id)
);
CREATE INDEX held_orders_untold ON notifications.held_orders (held_at)
    WHERE reasons <> '{}' AND told_reasons IS DISTINCT FROM reasons;
