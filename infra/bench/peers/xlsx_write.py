#!/usr/bin/env python3
"""Peers of the xlsx-write benchmark: XlsxWriter in constant memory, openpyxl write-only. Prints seconds and rows.

usage: xlsx_write.py xlsxwriter|openpyxl OUTPUT ROWS

The rows are those of ../xlsx_write.c: a pool of 1,000, made before the clock starts, written in turns.
"""
import sys
import time
from datetime import datetime, timedelta

POOL = 1_000
TITLES = ["Batch", "Shop", "Order", "Revision", "Placed", "Status", "Customer", "Phone", "City", "SKU", "Name",
          "Quantity", "Price", "Total", "Note"]
NAMES = ["Dầu gội", "Sữa tắm", "Kem dưỡng", "Nước hoa", "Xà phòng", "Son môi", "Mặt nạ", "Serum", "Toner", "Lotion"]
CITIES = ["Hà Nội", "Đà Nẵng", "Cần Thơ", "Huế"]
START = datetime(2026, 11, 21, 5)
TEXT, WHOLE, MONEY, TIME = "@", "0", "#,##0.00", "yyyy-mm-dd hh:mm:ss"
FORMATS = [TEXT, TEXT, TEXT, WHOLE, TIME, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, WHOLE, MONEY, MONEY, TEXT]


def pooled(i: int) -> list:
    cents, units = i * 25 + 1_995, i % 9 + 1
    return ["hanoi-20261121-1200", f"shop-{i % 5}", f"WC-{1_000_000 + i * 37:07d}", i % 3 + 1, START, "processing",
            f"Nguyễn Văn {i * 7_919 % 1_000}", f"0{901_000_000 + i * 7_919:09d}", CITIES[i % 4],
            f"0{i * 104_729 % 10_000_000:07d}", f"{NAMES[i % 10]} {i * 31 % 900 + 100} ml", units, cents / 100,
            cents * units / 100, f"Giao giờ hành chính, gọi trước {i % 60} phút"]


def write_xlsxwriter(path: str, rows: int, pool: list) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    formats = {code: book.add_format({"num_format": code}) for code in (TEXT, WHOLE, MONEY, TIME)}
    writers = [(column, formats[code]) for column, code in enumerate(FORMATS)]
    sheet = book.add_worksheet("Lines")
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, TITLES, book.add_format({"bold": True}))
    for row in range(rows):
        cells = pool[row % POOL]
        for column, form in writers:
            if column == 4:
                sheet.write_datetime(row + 1, 4, START + timedelta(seconds=row), form)
            elif form is formats[TEXT]:
                sheet.write_string(row + 1, column, cells[column], form)
            else:
                sheet.write_number(row + 1, column, cells[column], form)
    book.close()


def write_openpyxl(path: str, rows: int, pool: list) -> None:
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Lines")
    sheet.freeze_panes = "A2"
    header = [WriteOnlyCell(sheet, title) for title in TITLES]
    for cell in header:
        cell.font = Font(bold=True)
    sheet.append(header)
    # One cell a column, written again and again: as fast as this library gets with formats.
    cells = [WriteOnlyCell(sheet) for _ in TITLES]
    for cell, code in zip(cells, FORMATS):
        cell.number_format = code
    for row in range(rows):
        for cell, value in zip(cells, pool[row % POOL]):
            cell.value = value
        cells[4].value = START + timedelta(seconds=row)
        cells[4].number_format = TIME
        sheet.append(cells)
    book.save(path)


def main() -> None:
    library, path, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
    write = {"xlsxwriter": write_xlsxwriter, "openpyxl": write_openpyxl}[library]
    pool = [pooled(number) for number in range(POOL)]
    start = time.perf_counter()
    write(path, rows, pool)
    print(f"{time.perf_counter() - start:.4f} {rows}")


if __name__ == "__main__":
    main()
