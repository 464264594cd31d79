#!/usr/bin/python3
"""Writes a copy of a stock file in which 60 % of the quantities are 0, named ten minutes later; prints its path.

    break_stock.py STOCK_FILE.csv DIRECTORY
"""

import datetime
import pathlib
import re
import sys


def main():
    source, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    stamp = re.search(r"(\d{8}-\d{4})", source.name)
    if not stamp:
        sys.exit(f"{source.name} does not say when it was written")
    later = datetime.datetime.strptime(stamp[1], "%Y%m%d-%H%M") + datetime.timedelta(minutes=10)
    target = directory / source.name.replace(stamp[1], later.strftime("%Y%m%d-%H%M"))
    text = source.read_bytes().decode("utf-8-sig")
    lines = text.split("\n")
    separator = ";" if text.count(";") > text.count(",") else ","
    for number, line in enumerate(lines):
        cells = line.rstrip("\r").split(separator)
        # Both warehouses of a SKU stand below each other, so whole blocks go to zero.
        if re.fullmatch(r"\d+", cells[-1].strip()) and (number // 10) % 10 < 6:
            lines[number] = separator.join(cells[:-1] + ["0"]) + ("\r" if line.endswith("\r") else "")
    target.write_text("\n".join(lines), encoding="utf-8", newline="")
    print(target)


if __name__ == "__main__":
    main()
