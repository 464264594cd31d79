-- Letters that are settled leave after a long time, with their history and the jobs that replayed them.

-- safe: only notifier writes here, what fails meanwhile waits in the broker, and 100,000 letters take a second
CREATE INDEX letters_settled ON dead_letters.letters (state_at) WHERE state IN ('processed', 'superseded', 'archived');

-- Whether a job still names a letter; the foreign key asks that too, once for each letter that leaves.
-- safe: only notifier writes here, one row for each letter that was ever replayed
CREATE INDEX job_items_by_letter ON dead_letters.job_items (letter);

-- safe: one row for each replay that a person asked for
CREATE INDEX jobs_ended ON dead_letters.jobs (ended_at) WHERE state IN ('done', 'cancelled');
