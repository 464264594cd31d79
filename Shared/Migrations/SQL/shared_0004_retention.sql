-- What all services share leaves after a long time, too.

-- safe: some ten rows a day; what the files hold is not read for it
CREATE INDEX files_by_age ON shared.files (service, stored_at);

-- Removes files that the service whose role calls stored before so many days, but for some; returns how many.
CREATE FUNCTION shared.remove_files(older_than_days int, keep uuid[], at_most int)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    WITH removed AS (
        DELETE FROM files WHERE id = ANY (ARRAY(
            SELECT f.id FROM files f
            WHERE f.service = replace(session_user::text, '_', '-')
                AND f.stored_at < clock_timestamp() - make_interval(days => older_than_days)
                AND f.id <> ALL (keep)
            ORDER BY f.stored_at LIMIT at_most FOR UPDATE SKIP LOCKED))
        RETURNING 1)
    SELECT count(*) FROM removed;
$body$;

-- As in 0001, and removes commands of long ago, as shared.heartbeat removes replicas: nobody else writes here.
CREATE OR REPLACE FUNCTION shared.submit_command(id uuid, service text, verb text, arguments text, requested_by text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = shared, pg_temp AS $body$
    INSERT INTO commands (id, service, verb, arguments, requested_by)
    VALUES (submit_command.id, submit_command.service, submit_command.verb, submit_command.arguments,
            submit_command.requested_by);
    DELETE FROM commands WHERE id = ANY (ARRAY(
        SELECT c.id FROM commands c WHERE c.requested_at < clock_timestamp() - interval '400 days'
        ORDER BY c.requested_at LIMIT 100 FOR UPDATE SKIP LOCKED));
$body$;
