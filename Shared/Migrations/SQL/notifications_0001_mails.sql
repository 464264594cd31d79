-- What people were told.
SELECT shared.create_messaging_tables('notifications');

-- One row a condition; a condition that stays open is told once.
CREATE TABLE notifications.alerts (
    condition text PRIMARY KEY,
    service text NOT NULL,
    shop text,
    source text,
    severity text NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    what_to_do text NOT NULL,
    opened_at timestamptz NOT NULL,
    last_raised_at timestamptz NOT NULL,
    times int NOT NULL DEFAULT 1,
    cleared_at timestamptz
);

CREATE TABLE notifications.mails (
    id uuid PRIMARY KEY,
    -- Derived from what the mail is about, so that a repetition is the same mail.
    message_id text NOT NULL UNIQUE,
    about text NOT NULL,
    recipients text[] NOT NULL,
    subject text NOT NULL,
    plain text NOT NULL,
    html text NOT NULL,
    created_at timestamptz NOT NULL,
    -- Recorded before and after: a mail whose sending began and has no answer may have gone out.
    sending_at timestamptz,
    sent_at timestamptz,
    answer text,
    failures int NOT NULL DEFAULT 0,
    last_problem text
);
CREATE INDEX mails_unsent ON notifications.mails (created_at) WHERE sent_at IS NULL;
