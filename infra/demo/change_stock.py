#!/usr/bin/python3
"""Writes a copy of a stock file as the ERP would some minutes later, with other quantities; prints its path.

    change_stock.py STOCK_FILE.csv DIRECTORY zero MINUTES    60 % of the quantities are 0: the gate holds it
    change_stock.py STOCK_FILE.csv DIRECTORY add MINUTES     every quantity above 0 is one more: nearly all shelves move
"""

import datetime
import pathlib
import re
import sys


def main():
    source, directory, change = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    minutes = datetime.timedelta(minutes=int(sys.argv[4]))
    stamp = re.search(r"(\d{8}-\d{4})", source.name)
    if not stamp:
        sys.exit(f"{source.name} does not say when it was written")
    later = datetime.datetime.strptime(stamp[1], "%Y%m%d-%H%M") + minutes
    target = directory / source.name.replace(stamp[1], later.strftime("%Y%m%d-%H%M"))
    text = source.read_bytes().decode("utf-8-sig")
    if change == "add":
        text = re.sub(r"\d\d/\d\d/\d{4} \d\d:\d\d", lambda found: moved(found[0], minutes), text, count=1)
    lines = text.split("\n")
    separator = ";" if text.count(";") > text.count(",") else ","
    for number, line in enumerate(lines):
        cells = line.rstrip("\r").split(separator)
        if not re.fullmatch(r"\d+", cells[-1].strip()):
            continue
        units = int(cells[-1])
        # Both warehouses of a SKU stand below each other, so whole blocks go to zero.
        if change == "zero" and (number // 10) % 10 < 6:
            units = 0
        elif change == "add" and units > 0:
            units += 1
        else:
            continue
        lines[number] = separator.join(cells[:-1] + [str(units)]) + ("\r" if line.endswith("\r") else "")
    target.write_text("\n".join(lines), encoding="utf-8", newline="")
    print(target)


def moved(time: str, by: datetime.timedelta) -> str:
    return (datetime.datetime.strptime(time, "%d/%m/%Y %H:%M") + by).strftime("%d/%m/%Y %H:%M")


if __name__ == "__main__":
    main()
