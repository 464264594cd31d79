-- What several replicas and their operator have to know of each other.

-- Which steps this database has had, for a service that starts: it must not work on an older structure.
CREATE FUNCTION shared.applied_migrations() RETURNS TABLE (name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT m.name FROM public.stockbridge_migrations m ORDER BY m.name;
$body$;

-- How much of an account's limit is used, to tell whether more replicas could do more: the calls of the present window
-- of twenty seconds and of the one directly before it.
ALTER TABLE shared.rate_limiters
    ADD COLUMN window_began timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN window_calls bigint NOT NULL DEFAULT 0,
    ADD COLUMN calls_before bigint NOT NULL DEFAULT 0;

-- As in 0001, and counts.
CREATE OR REPLACE FUNCTION shared.reserve_calls(account text, calls int, per_second double precision, burst int)
RETURNS double precision LANGUAGE plpgsql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
DECLARE
    present timestamptz := clock_timestamp();
    spacing interval := make_interval(secs => 1.0 / per_second);
    start_at timestamptz;
    began timestamptz;
BEGIN
    INSERT INTO rate_limiters AS r (account, theoretical_arrival) VALUES (reserve_calls.account, present)
    ON CONFLICT ON CONSTRAINT rate_limiters_pkey DO NOTHING;
    SELECT greatest(r.theoretical_arrival, present - spacing * (burst - 1), r.blocked_until), r.window_began
    INTO start_at, began
    FROM rate_limiters r WHERE r.account = reserve_calls.account FOR UPDATE;
    -- The row lock was waited for: what was "now" before it may be long ago.
    present := clock_timestamp();
    start_at := greatest(start_at, present - spacing * (burst - 1));
    IF began + interval '20 seconds' > present THEN
        UPDATE rate_limiters r SET theoretical_arrival = start_at + spacing * calls,
            window_calls = r.window_calls + calls
        WHERE r.account = reserve_calls.account;
    ELSE
        UPDATE rate_limiters r SET theoretical_arrival = start_at + spacing * calls, window_began = present,
            window_calls = calls,
            calls_before = CASE WHEN began + interval '40 seconds' > present THEN r.window_calls ELSE 0 END
        WHERE r.account = reserve_calls.account;
    END IF;
    RETURN greatest(0, extract(epoch FROM start_at + spacing * (calls - 1) - present));
END
$body$;

-- Calls a second over the last twenty seconds or so, and for how long the platform still asks for a pause.
CREATE FUNCTION shared.limiter_states()
RETURNS TABLE (account text, calls_per_second double precision, blocked_seconds double precision)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT l.account,
        CASE WHEN l.age < 20 THEN (l.window_calls + l.calls_before * (1 - l.age / 20)) / 20
             WHEN l.age < 40 THEN l.window_calls * (2 - l.age / 20) / 20
             ELSE 0 END,
        l.blocked
    FROM (
        SELECT r.account, r.window_calls, r.calls_before,
            CASE WHEN isfinite(r.window_began) THEN extract(epoch FROM clock_timestamp() - r.window_began)::float8
                 ELSE 1e9 END AS age,
            CASE WHEN isfinite(r.blocked_until)
                 THEN greatest(0, extract(epoch FROM r.blocked_until - clock_timestamp())::float8)
                 ELSE 0 END AS blocked
        FROM rate_limiters r) AS l
    ORDER BY l.account;
$body$;
