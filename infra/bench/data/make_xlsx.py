#!/usr/bin/env python3
"""Writes the workbook that the xlsx-read benchmark reads: the same rows at every run. Needs XlsxWriter.

usage: make_xlsx.py OUTPUT [ROWS]

Four columns: SKU as text with leading zeros, name, warehouse, quantity as a number. SKUs stand in two warehouses.
"""
import random
import sys
from datetime import datetime, timezone

import xlsxwriter

WORDS = ["Dầu gội", "Sữa tắm", "Kem dưỡng", "Nước hoa", "Xà phòng", "Son môi", "Mặt nạ", "Serum", "Toner", "Lotion"]


def main() -> None:
    output = sys.argv[1]
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    numbers = random.Random(20261121)
    book = xlsxwriter.Workbook(output)
    book.set_properties({"created": datetime(2026, 11, 21, tzinfo=timezone.utc)})
    sheet = book.add_worksheet("Stock")
    sheet.write_row(0, 0, ["SKU", "Name", "Warehouse", "Quantity"])
    for row in range(rows):
        index = row // 2
        sheet.write_string(row + 1, 0, f"0{index * 7:07d}")
        sheet.write_string(row + 1, 1, f"{WORDS[index % 10]} {index % 900 + 100} ml")
        sheet.write_string(row + 1, 2, ("HN", "HCM")[row % 2])
        sheet.write_number(row + 1, 3, numbers.randrange(0, 2_000))
    book.close()


if __name__ == "__main__":
    main()
