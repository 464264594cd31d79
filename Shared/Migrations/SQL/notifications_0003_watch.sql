-- What notifier watches over: the system itself.

-- Who looks. One replica at a time; another takes over when the lease has run out.
CREATE TABLE notifications.watch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    owner uuid,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    last_look_at timestamptz,
    -- Since when there was no gap between looks: what was seen before a gap says nothing about now.
    looking_since timestamptz
);
INSERT INTO notifications.watch DEFAULT VALUES;

-- A condition is told, and its end is told, only when it held for a while. All times here are the database server's.
CREATE TABLE notifications.watch_conditions (
    condition text PRIMARY KEY,
    -- What people were told.
    is_open boolean NOT NULL,
    -- Since when it is not as people were told.
    differs_since timestamptz
);

-- Kinds of errors that people were told of, once each.
CREATE TABLE notifications.watch_told (
    fingerprint text PRIMARY KEY,
    noticed_at timestamptz NOT NULL,
    told_at timestamptz
);

-- For the oldest letter that waits.
CREATE INDEX letters_waiting_by_time ON dead_letters.letters (archived_at) WHERE state = 'waiting';
