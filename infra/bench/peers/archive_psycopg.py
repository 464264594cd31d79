#!/usr/bin/env python3
"""Peer of the archive benchmark: pika and psycopg keep the same letters, 500 a transaction. Prints seconds.

usage: archive_psycopg.py BROKER DATABASE QUEUE COUNT
"""
import hashlib
import json
import sys
import time
from datetime import datetime, timezone

import pika
import psycopg

COLUMNS = ("service", "queue", "identity", "topic", "data_schema", "subject", "correlation", "shop", "items",
           "properties", "body", "error_class", "error_code", "error_message", "fingerprint", "attempts",
           "first_failed_at", "failed_at", "archived_at", "state_at", "death")
LETTERS = f"""INSERT INTO dead_letters.letters ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})
              ON CONFLICT (queue, identity) DO NOTHING RETURNING id"""
HISTORY = """INSERT INTO dead_letters.history (letter, at, step, who, detail)
             SELECT letter, %s, 'died', 'archiver', detail FROM unnest(%s::bigint[], %s::text[])
                 AS n (letter, detail)"""
KINDS = """INSERT INTO dead_letters.fingerprints (fingerprint, service, queue, first_seen_at)
           SELECT kind, 'notifier', 'bench', %s FROM unnest(%s::text[]) AS kind ON CONFLICT DO NOTHING"""


def letter(method, properties, body: bytes, now: datetime) -> tuple:
    headers = properties.headers
    payload = json.loads(body)
    kept = json.dumps({"headers": headers, "message_id": properties.message_id}, sort_keys=True)
    death = hashlib.sha256()
    for name in sorted(headers):
        if name.startswith("stockbridge-"):
            death.update(f"{name}={headers[name]}\n".encode())
    return (
        "notifier", method.routing_key, properties.message_id, headers["cloudEvents_type"],
        headers["cloudEvents_dataschema"], headers["cloudEvents_subject"], properties.correlation_id, payload["shop"],
        [f"{payload['shop']}/{shelf['id']}" for shelf in payload["shelves"]], kept, body,
        headers["stockbridge-error-class"], headers["stockbridge-error-code"], headers["stockbridge-error-message"],
        headers["stockbridge-fingerprint"], headers["stockbridge-attempt"], headers["stockbridge-first-failed-at"],
        headers["stockbridge-failed-at"], now, now, death.digest())


def commit(connection, batch: list) -> None:
    now = datetime.now(timezone.utc)
    rows = [letter(*message, now) for message in batch]
    with connection.transaction():
        cursor = connection.cursor()
        cursor.executemany(LETTERS, rows, returning=True)
        ids = []
        while True:
            ids += [row[0] for row in cursor.fetchall()]
            if not cursor.nextset():
                break
        connection.execute(HISTORY, (now, ids, [f"{row[12]}: {row[13]}" for row in rows]))
        connection.execute(KINDS, (now, sorted({row[14] for row in rows})))


def main() -> None:
    broker, database, queue, total = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    start = time.perf_counter()
    connection = psycopg.connect(database, autocommit=True, prepare_threshold=0)
    channel = pika.BlockingConnection(pika.URLParameters(broker)).channel()
    channel.basic_qos(prefetch_count=1_000)
    batch, done = [], 0
    for method, properties, body in channel.consume(queue, inactivity_timeout=10):
        if method is None:
            sys.exit(f"the queue was empty after {done} messages")
        batch.append((method, properties, body))
        if len(batch) == 500 or done + len(batch) == total:
            commit(connection, batch)
            channel.basic_ack(batch[-1][0].delivery_tag, multiple=True)
            done += len(batch)
            batch.clear()
        if done == total:
            break
    print(f"{time.perf_counter() - start:.4f} {done}")


if __name__ == "__main__":
    main()
