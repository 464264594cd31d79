#!/usr/bin/env python3
"""Peer of the xlsx-read benchmark: openpyxl in read-only mode reads all rows. Prints seconds and rows.

usage: xlsx_openpyxl.py FILE [RUNS]
"""
import sys
import time

from openpyxl import load_workbook


def main() -> None:
    path = sys.argv[1]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for _ in range(runs):
        start = time.perf_counter()
        book = load_workbook(path, read_only=True)
        rows = sum(1 for _ in book.worksheets[0].iter_rows(values_only=True))
        book.close()
        print(f"{time.perf_counter() - start:.4f} {rows}")


if __name__ == "__main__":
    main()
