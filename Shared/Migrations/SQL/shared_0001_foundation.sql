-- What all services share. Tables here are reached only through the functions below, so that a service can neither
-- read nor change another's limiter, schedule or command except by the rule the function states.
CREATE SCHEMA IF NOT EXISTS shared;
REVOKE ALL ON SCHEMA shared FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA shared REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- The outbox and the inbox of one service, in its own schema.
CREATE FUNCTION shared.create_messaging_tables(target name) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', target);
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', target);
    -- A row leaves when the broker has confirmed it; `position` gives fairness, and is never used as a cursor,
    -- because rows commit in another order than they are numbered.
    EXECUTE format($sql$
        CREATE TABLE %1$I.outbox (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id uuid NOT NULL,
            exchange text NOT NULL,
            routing_key text NOT NULL,
            headers text NOT NULL,
            body text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            not_before timestamptz NOT NULL DEFAULT '-infinity',
            failures int NOT NULL DEFAULT 0,
            last_error text
        ) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000)
    $sql$, target);
    EXECUTE format($sql$
        CREATE TABLE %1$I.inbox (
            consumer text NOT NULL,
            message_id uuid NOT NULL,
            received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            done boolean NOT NULL DEFAULT true,
            lease_until timestamptz,
            owner text,
            PRIMARY KEY (consumer, message_id)
        )
    $sql$, target);
    EXECUTE format('CREATE INDEX inbox_by_age ON %I.inbox USING brin (received_at)', target);
END
$body$;

-- Rate limiters: one row an account, shared by all replicas of all services. A virtual clock per account (the time at
-- which the next call may start, "theoretical arrival time" of the generic cell rate algorithm) hands out slots.
CREATE TABLE shared.rate_limiters (
    account text PRIMARY KEY,
    theoretical_arrival timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- Reserves `calls` slots and returns how many seconds the caller waits before it makes them.
CREATE FUNCTION shared.reserve_calls(account text, calls int, per_second double precision, burst int)
RETURNS double precision LANGUAGE plpgsql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
DECLARE
    present timestamptz := clock_timestamp();
    spacing interval := make_interval(secs => 1.0 / per_second);
    start_at timestamptz;
BEGIN
    INSERT INTO rate_limiters AS r (account, theoretical_arrival) VALUES (reserve_calls.account, present)
    ON CONFLICT ON CONSTRAINT rate_limiters_pkey DO NOTHING;
    SELECT greatest(r.theoretical_arrival, present - spacing * (burst - 1), r.blocked_until) INTO start_at
    FROM rate_limiters r WHERE r.account = reserve_calls.account FOR UPDATE;
    -- The row lock was waited for: what was "now" before it may be long ago.
    present := clock_timestamp();
    start_at := greatest(start_at, present - spacing * (burst - 1));
    UPDATE rate_limiters r SET theoretical_arrival = start_at + spacing * calls
    WHERE r.account = reserve_calls.account;
    RETURN greatest(0, extract(epoch FROM start_at + spacing * (calls - 1) - present));
END
$body$;

-- The platform asked for a pause (429 or 503 with Retry-After): nobody calls this account before then.
CREATE FUNCTION shared.block_calls(account text, seconds double precision)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    INSERT INTO rate_limiters AS r (account, theoretical_arrival, blocked_until)
    VALUES (block_calls.account, clock_timestamp(), clock_timestamp() + make_interval(secs => seconds))
    ON CONFLICT ON CONSTRAINT rate_limiters_pkey
    DO UPDATE SET blocked_until = greatest(r.blocked_until, excluded.blocked_until);
$body$;

-- Circuit breakers: one row an account. Closed: failures in a row are counted. Open: nobody calls until probe_at.
-- Half open: the one who moved probe_at forward makes one call; its result closes or opens the breaker.
CREATE TABLE shared.breakers (
    account text PRIMARY KEY,
    failures int NOT NULL DEFAULT 0,
    opened_at timestamptz,
    probe_at timestamptz,
    reason text
);

-- May the caller call now? 'closed': yes. 'probe': yes, as the one probe. 'open': no.
CREATE FUNCTION shared.breaker_permission(account text, probe_seconds double precision)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
DECLARE b breakers;
BEGIN
    SELECT * INTO b FROM breakers r WHERE r.account = breaker_permission.account;
    IF NOT FOUND OR b.opened_at IS NULL THEN RETURN 'closed'; END IF;
    UPDATE breakers r SET probe_at = clock_timestamp() + make_interval(secs => probe_seconds)
    WHERE r.account = breaker_permission.account AND r.opened_at IS NOT NULL AND r.probe_at <= clock_timestamp();
    IF FOUND THEN RETURN 'probe'; END IF;
    RETURN 'open';
END
$body$;

-- Counts a failure; opens the breaker at `threshold` failures in a row. True when this call opened it.
CREATE FUNCTION shared.breaker_failed(account text, threshold int, probe_seconds double precision, reason text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
DECLARE opened boolean;
BEGIN
    INSERT INTO breakers AS r (account, failures, reason) VALUES (breaker_failed.account, 1, breaker_failed.reason)
    ON CONFLICT ON CONSTRAINT breakers_pkey
    DO UPDATE SET failures = r.failures + 1, reason = excluded.reason;
    UPDATE breakers r SET opened_at = clock_timestamp(),
        probe_at = clock_timestamp() + make_interval(secs => probe_seconds)
    WHERE r.account = breaker_failed.account AND r.opened_at IS NULL AND r.failures >= threshold
    RETURNING true INTO opened;
    RETURN coalesce(opened, false);
END
$body$;

-- A call succeeded: the breaker closes. True when it was open.
CREATE FUNCTION shared.breaker_succeeded(account text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
DECLARE was_open boolean;
BEGIN
    SELECT r.opened_at IS NOT NULL INTO was_open FROM breakers r
    WHERE r.account = breaker_succeeded.account AND (r.failures > 0 OR r.opened_at IS NOT NULL) FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM breakers r WHERE r.account = breaker_succeeded.account;
    RETURN was_open;
END
$body$;

CREATE FUNCTION shared.breaker_states()
RETURNS TABLE (account text, failures int, opened_at timestamptz, probe_at timestamptz, reason text)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT b.account, b.failures, b.opened_at, b.probe_at, b.reason FROM breakers b ORDER BY b.account;
$body$;

-- Schedules: one row a job; whoever holds the row lock fires it, so it fires once whatever the number of replicas.
CREATE TABLE shared.schedules (
    service text NOT NULL,
    name text NOT NULL,
    expression text NOT NULL,
    time_zone text NOT NULL,
    next_due timestamptz NOT NULL,
    last_due timestamptz,
    last_fired_at timestamptz,
    PRIMARY KEY (service, name)
);

-- Declares a schedule. A changed expression takes the new due time; an unchanged one keeps what it was waiting for, so
-- that a restart in the minute it was due does not skip it.
CREATE FUNCTION shared.declare_schedule(
    service text, name text, expression text, time_zone text, next_due timestamptz)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    INSERT INTO schedules AS s (service, name, expression, time_zone, next_due)
    VALUES (declare_schedule.service, declare_schedule.name, declare_schedule.expression,
            declare_schedule.time_zone, declare_schedule.next_due)
    ON CONFLICT ON CONSTRAINT schedules_pkey DO UPDATE
    SET expression = excluded.expression, time_zone = excluded.time_zone, next_due = excluded.next_due
    WHERE (s.expression, s.time_zone) IS DISTINCT FROM (excluded.expression, excluded.time_zone);
$body$;

-- Forgets the schedules of a service that its configuration no longer names.
CREATE FUNCTION shared.keep_schedules(service text, names text[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    DELETE FROM schedules s WHERE s.service = keep_schedules.service AND s.name <> ALL (names);
$body$;

-- Locks and returns what is due; locked rows are being fired by another replica and are skipped.
CREATE FUNCTION shared.due_schedules(service text, present timestamptz)
RETURNS TABLE (name text, expression text, time_zone text, due timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT s.name, s.expression, s.time_zone, s.next_due FROM schedules s
    WHERE s.service = due_schedules.service AND s.next_due <= present
    ORDER BY s.name FOR UPDATE SKIP LOCKED;
$body$;

CREATE FUNCTION shared.schedule_fired(service text, name text, due timestamptz, next_due timestamptz)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    UPDATE schedules s
    SET last_due = due, last_fired_at = clock_timestamp(), next_due = schedule_fired.next_due
    WHERE s.service = schedule_fired.service AND s.name = schedule_fired.name;
$body$;

CREATE FUNCTION shared.schedule_states()
RETURNS TABLE (service text, name text, expression text, time_zone text, next_due timestamptz,
               last_due timestamptz, last_fired_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT s.service, s.name, s.expression, s.time_zone, s.next_due, s.last_due, s.last_fired_at
    FROM schedules s ORDER BY s.service, s.name;
$body$;

-- Replicas that are alive, by their heartbeat.
CREATE TABLE shared.replicas (
    id uuid PRIMARY KEY,
    service text NOT NULL,
    host text NOT NULL,
    process int NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL
);

CREATE FUNCTION shared.heartbeat(id uuid, service text, host text, process int, state text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    INSERT INTO replicas AS r (id, service, host, process, state)
    VALUES (heartbeat.id, heartbeat.service, heartbeat.host, heartbeat.process, heartbeat.state)
    ON CONFLICT ON CONSTRAINT replicas_pkey
    DO UPDATE SET heartbeat_at = clock_timestamp(), state = excluded.state;
    DELETE FROM replicas r WHERE r.heartbeat_at < clock_timestamp() - interval '1 day';
$body$;

CREATE FUNCTION shared.sign_off(id uuid)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    DELETE FROM replicas r WHERE r.id = sign_off.id;
$body$;

CREATE FUNCTION shared.replica_states()
RETURNS TABLE (id uuid, service text, host text, process int, started_at timestamptz, heartbeat_at timestamptz,
               state text)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT r.id, r.service, r.host, r.process, r.started_at, r.heartbeat_at, r.state
    FROM replicas r ORDER BY r.service, r.started_at;
$body$;

-- Commands: a wish of an operator or of another service, and the answer of the service that owns the rule.
CREATE TABLE shared.commands (
    id uuid PRIMARY KEY,
    service text NOT NULL,
    verb text NOT NULL,
    arguments text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'done', 'refused', 'failed')),
    answer text,
    answered_at timestamptz
);
CREATE INDEX commands_by_time ON shared.commands (requested_at);

CREATE FUNCTION shared.submit_command(id uuid, service text, verb text, arguments text, requested_by text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    INSERT INTO commands (id, service, verb, arguments, requested_by)
    VALUES (submit_command.id, submit_command.service, submit_command.verb, submit_command.arguments,
            submit_command.requested_by);
$body$;

-- The first final answer stands: a repeated delivery changes nothing.
CREATE FUNCTION shared.answer_command(id uuid, state text, answer text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    UPDATE commands c SET state = answer_command.state, answer = answer_command.answer,
        answered_at = clock_timestamp()
    WHERE c.id = answer_command.id AND c.state = 'requested';
    SELECT pg_notify('commands', answer_command.id::text);
$body$;

CREATE FUNCTION shared.command_state(id uuid)
RETURNS TABLE (service text, verb text, arguments text, requested_by text, requested_at timestamptz, state text,
               answer text, answered_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT c.service, c.verb, c.arguments, c.requested_by, c.requested_at, c.state, c.answer, c.answered_at
    FROM commands c WHERE c.id = command_state.id;
$body$;

-- Stored files: what came in and what went out, byte for byte.
CREATE TABLE shared.files (
    id uuid PRIMARY KEY,
    service text NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    size bigint NOT NULL,
    content bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
ALTER TABLE shared.files ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX files_by_digest ON shared.files (digest);

CREATE FUNCTION shared.store_file(id uuid, service text, name text, digest text, content bytea)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    INSERT INTO files (id, service, name, digest, size, content)
    VALUES (store_file.id, store_file.service, store_file.name, store_file.digest, length(store_file.content),
            store_file.content)
    ON CONFLICT ON CONSTRAINT files_pkey DO NOTHING;
$body$;

CREATE FUNCTION shared.read_file(id uuid)
RETURNS TABLE (name text, digest text, content bytea, stored_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    SELECT f.name, f.digest, f.content, f.stored_at FROM files f WHERE f.id = read_file.id;
$body$;

-- One turn to call an account: the breaker's permission, the seconds to wait, and the failures in a row so far, in one
-- round trip. No slot is taken while the breaker is open.
CREATE FUNCTION shared.take_turn(
    account text, calls int, per_second double precision, burst int, probe_seconds double precision)
RETURNS TABLE (permission text, seconds double precision, failures int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
BEGIN
    permission := breaker_permission(take_turn.account, probe_seconds);
    SELECT b.failures INTO take_turn.failures FROM breakers b WHERE b.account = take_turn.account;
    take_turn.failures := coalesce(take_turn.failures, 0);
    seconds := 0;
    IF permission <> 'open' THEN
        seconds := reserve_calls(take_turn.account, calls, per_second, burst);
    END IF;
    RETURN NEXT;
END
$body$;
