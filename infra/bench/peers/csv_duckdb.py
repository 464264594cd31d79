#!/usr/bin/env python3
"""Peer of the csv benchmark: DuckDB reads the file and adds the warehouses up. Prints seconds and SKUs.

usage: csv_duckdb.py FILE [RUNS] [THREADS]
"""
import sys
import time

import duckdb

QUERY = """
SELECT count(*), sum(units) FROM (
    SELECT SKU, sum(try_cast(Quantity AS BIGINT)) AS units
    FROM read_csv(?, header = true, delim = ',', quote = '"', all_varchar = true)
    WHERE SKU IS NOT NULL GROUP BY SKU)
"""


def main() -> None:
    path = sys.argv[1]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    connection = duckdb.connect()
    if len(sys.argv) > 3:
        connection.execute(f"SET threads = {int(sys.argv[3])}")
    for _ in range(runs):
        start = time.perf_counter()
        skus, _units = connection.execute(QUERY, [path]).fetchone()
        print(f"{time.perf_counter() - start:.4f} {skus}")


if __name__ == "__main__":
    main()
