#!/usr/bin/env python3
"""Peer of the xlsx-read benchmark: python-calamine (Rust) reads all rows. Prints seconds and rows.

usage: xlsx_calamine.py FILE [RUNS]
"""
import sys
import time

from python_calamine import CalamineWorkbook


def main() -> None:
    path = sys.argv[1]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for _ in range(runs):
        start = time.perf_counter()
        rows = sum(1 for _ in CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python())
        print(f"{time.perf_counter() - start:.4f} {rows}")


if __name__ == "__main__":
    main()
