#!/usr/bin/env python3
"""Peer of the chain benchmark: pika and psycopg do the same statements. Prints seconds.

usage: chain_psycopg.py BROKER DATABASE QUEUE COUNT [BATCH]     BATCH 1 is one message a transaction
"""
import json
import sys
import time
import uuid
from datetime import datetime, timezone

import pika
import psycopg

CLAIM = """INSERT INTO inbox (consumer, message_id) SELECT %s, id FROM unnest(%s::uuid[]) AS id ORDER BY id
           ON CONFLICT DO NOTHING RETURNING message_id"""
EFFECT = "INSERT INTO effects (event_id, sku, on_hand) SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[])"
OUTBOX = """INSERT INTO outbox (id, exchange, routing_key, headers, body)
            SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[])"""
NOTIFY = "SELECT pg_notify(%s, '')"


def outgoing(properties, payload) -> tuple[uuid.UUID, str, str, str, str]:
    identity = uuid.uuid4()
    time_text = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    headers = "\n".join(f"{name}\t{value}" for name, value in (
        ("cloudEvents_specversion", "1.0"), ("cloudEvents_id", identity), ("cloudEvents_type", "bench.recorded"),
        ("cloudEvents_source", "/stockbridge/notifier"),
        ("cloudEvents_subject", properties.headers["cloudEvents_subject"]), ("cloudEvents_time", time_text),
        ("cloudEvents_dataschema", "urn:stockbridge:bench.recorded:1"),
        ("correlation-id", properties.correlation_id), ("traceparent", properties.headers["traceparent"])))
    body = json.dumps({"cause": properties.message_id, "note": "recorded by the benchmark, as a service would",
                       "on_hand": payload["on_hand"], "sku": payload["sku"]}, separators=(",", ":"))
    return identity, "stockbridge.events", "bench.recorded", headers, body


def commit(connection, queue: str, batch: list) -> None:
    with connection.transaction():
        cursor = connection.execute(CLAIM, (queue, [properties.message_id for _, properties, _ in batch]))
        new = {str(row[0]) for row in cursor}
        events = [(properties, json.loads(body)) for _, properties, body in batch if properties.message_id in new]
        staged = [outgoing(properties, payload) for properties, payload in events]
        with connection.pipeline():
            connection.execute(EFFECT, ([properties.message_id for properties, _ in events],
                                        [payload["sku"] for _, payload in events],
                                        [payload["on_hand"] for _, payload in events]))
            connection.execute(OUTBOX, [list(column) for column in zip(*staged)])
            connection.execute(NOTIFY, ("outbox_notifier",))


def main() -> None:
    broker, database, queue, total = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    size = int(sys.argv[5]) if len(sys.argv) > 5 else 100
    start = time.perf_counter()
    connection = psycopg.connect(database, autocommit=True, options="-c search_path=bench", prepare_threshold=0)
    channel = pika.BlockingConnection(pika.URLParameters(broker)).channel()
    channel.basic_qos(prefetch_count=300)
    batch, done = [], 0
    for method, properties, body in channel.consume(queue, inactivity_timeout=10):
        if method is None:
            sys.exit(f"the queue was empty after {done} messages")
        batch.append((method.delivery_tag, properties, body))
        if len(batch) == size or done + len(batch) == total:
            commit(connection, queue, batch)
            channel.basic_ack(batch[-1][0], multiple=True)
            done += len(batch)
            batch.clear()
        if done == total:
            break
    print(f"{time.perf_counter() - start:.4f} {done}")


if __name__ == "__main__":
    main()
