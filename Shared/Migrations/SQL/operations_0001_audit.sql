-- What operators did. The operator's tool writes here and nowhere else.
SELECT shared.create_messaging_tables('operations');

CREATE TABLE operations.audit (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    what text NOT NULL,
    arguments text NOT NULL,
    why text
);
CREATE INDEX audit_by_time ON operations.audit (at);
