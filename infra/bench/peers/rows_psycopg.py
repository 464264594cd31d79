#!/usr/bin/env python3
"""Peer of the copy and upsert benchmarks: psycopg. Prints seconds.

usage: rows_psycopg.py copy|upsert DATABASE COUNT
"""
import sys
import time

import psycopg

MERGE = """ON CONFLICT (sku, warehouse) DO UPDATE SET on_hand = excluded.on_hand
           WHERE l.on_hand IS DISTINCT FROM excluded.on_hand"""


def row(number: int) -> tuple[str, str, int]:
    return f"HS{1_000_000 + number // 2}", "HCM" if number % 2 else "HN", number + 1 if number % 20 == 0 else number


def copy(connection, count: int) -> None:
    with connection.transaction():
        connection.execute("CREATE TEMP TABLE staging (sku text, warehouse text, on_hand bigint) ON COMMIT DROP")
        with connection.cursor().copy("COPY staging (sku, warehouse, on_hand) FROM STDIN") as target:
            for number in range(count):
                target.write_row(row(number))
        connection.execute(f"INSERT INTO levels AS l (sku, warehouse, on_hand) SELECT * FROM staging {MERGE}")


def upsert(connection, count: int) -> None:
    for first in range(0, count, 1_000):
        with connection.transaction():
            connection.cursor().executemany(
                f"INSERT INTO levels AS l (sku, warehouse, on_hand) VALUES (%s, %s, %s) {MERGE}",
                [row(number) for number in range(first, min(first + 1_000, count))])


def main() -> None:
    what, database, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    start = time.perf_counter()
    connection = psycopg.connect(database, autocommit=True, options="-c search_path=bench", prepare_threshold=0)
    (copy if what == "copy" else upsert)(connection, count)
    print(f"{time.perf_counter() - start:.4f} {count}")


if __name__ == "__main__":
    main()
