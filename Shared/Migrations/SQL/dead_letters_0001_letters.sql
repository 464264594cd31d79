-- Messages that a service could not do, taken out of the broker so that they can be searched, grouped, edited and
-- replayed. notifier owns this schema.
CREATE SCHEMA dead_letters;
REVOKE ALL ON SCHEMA dead_letters FROM PUBLIC;

CREATE TABLE dead_letters.letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    -- Where it failed, and where a replay sends it.
    queue text NOT NULL,
    -- The message's id in lower case; where it has none, 'sha256:' and the digest of its properties and body.
    identity text NOT NULL,
    topic text,
    data_schema text,
    subject text,
    correlation text,
    -- What it is about (Contracts.BusinessKeys).
    shop text,
    order_reference text,
    erp text,
    items text[] NOT NULL DEFAULT '{}',
    -- JSON: the properties and headers as they came, without what the broker added to them.
    properties text NOT NULL,
    body bytea NOT NULL,
    -- What a replay sends instead, if somebody edited it. The original stays.
    edited_body bytea,
    error_class text NOT NULL CHECK (error_class IN ('transient', 'permanent', 'defect')),
    error_code text NOT NULL,
    error_message text NOT NULL,
    fingerprint text NOT NULL,
    attempts int NOT NULL,
    first_failed_at timestamptz,
    -- When it failed for good, by the clock of the service that says so.
    failed_at timestamptz NOT NULL,
    archived_at timestamptz NOT NULL,
    -- Tells another death of the same message from another delivery of the same death.
    death bytea NOT NULL,
    -- The deaths before that one: any of them may be delivered once more, late.
    earlier_deaths bytea[] NOT NULL DEFAULT '{}',
    -- How often it has died.
    times int NOT NULL DEFAULT 1,
    -- waiting: for a person. replaying: a job has it; it is or will be on the broker. The others are final, unless the
    -- message dies again.
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'replaying', 'processed', 'superseded', 'archived')),
    state_at timestamptz NOT NULL,
    -- The job that has it or had it last.
    job uuid,
    UNIQUE (queue, identity)
);
ALTER TABLE dead_letters.letters ALTER COLUMN body SET STORAGE EXTENDED;
CREATE INDEX letters_waiting ON dead_letters.letters (fingerprint, id) WHERE state = 'waiting';
CREATE INDEX letters_by_time ON dead_letters.letters (archived_at);

-- Every kind of error that was ever seen.
CREATE TABLE dead_letters.fingerprints (
    fingerprint text PRIMARY KEY,
    service text NOT NULL,
    queue text NOT NULL,
    first_seen_at timestamptz NOT NULL
);

-- Replays of a frozen set of letters.
CREATE TABLE dead_letters.jobs (
    id uuid PRIMARY KEY,
    requested_by text NOT NULL,
    reason text NOT NULL,
    -- JSON: what the set was chosen by.
    filter text NOT NULL,
    letters int NOT NULL,
    rate_per_second double precision NOT NULL CHECK (rate_per_second > 0),
    -- So many first; the rest only when each of them has an outcome. 0: none.
    canary int NOT NULL DEFAULT 0,
    -- Stops by itself when more than this share of the outcomes are failures.
    stop_share double precision NOT NULL CHECK (stop_share BETWEEN 0 AND 1),
    state text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'paused', 'stopped', 'cancelled', 'done')),
    -- Why it is in this state, as a sentence.
    state_reason text,
    -- Outcomes up to then are not judged any more: a person let a job that had stopped itself go on.
    judged_from timestamptz,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    -- Which replica of notifier runs it; another takes over when the lease has run out.
    lease_owner uuid,
    lease_until timestamptz
);
CREATE INDEX jobs_open ON dead_letters.jobs (created_at) WHERE state IN ('running', 'paused', 'stopped');

CREATE TABLE dead_letters.job_items (
    job uuid NOT NULL REFERENCES dead_letters.jobs (id),
    letter bigint NOT NULL REFERENCES dead_letters.letters (id),
    -- requested: not sent yet. published: the broker confirmed it. undeliverable: its queue does not exist any more.
    -- withdrawn: the job was cancelled before it was sent.
    state text NOT NULL DEFAULT 'requested'
        CHECK (state IN ('requested', 'published', 'processed', 'already_processed', 'superseded', 'failed_again',
                         'undeliverable', 'withdrawn')),
    published_at timestamptz,
    settled_at timestamptz,
    -- A sentence, where the state does not say it all.
    detail text,
    PRIMARY KEY (job, letter)
);
CREATE INDEX job_items_requested ON dead_letters.job_items (job, letter) WHERE state = 'requested';
CREATE INDEX job_items_published ON dead_letters.job_items (job) WHERE state = 'published';

-- What happened to a letter, who did it and why.
CREATE TABLE dead_letters.history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    letter bigint NOT NULL REFERENCES dead_letters.letters (id),
    at timestamptz NOT NULL,
    -- died, died_again, edited, archived, replay_requested, published, processed, already_processed, superseded,
    -- failed_again, undeliverable, withdrawn
    step text NOT NULL,
    who text NOT NULL,
    why text,
    detail text
);
CREATE INDEX history_by_letter ON dead_letters.history (letter, id);
