#!/usr/bin/env python3
"""Writes the stock file that the csv benchmark reads: the same bytes at every run.

usage: make_csv.py OUTPUT [SKUS]

Every SKU stands in two warehouses. Names are Vietnamese, three in four of them quoted because of a comma, one in
fifty with doubled quotes. Every 40,000th row is bad (text or nothing for a number, no SKU), every 50,000th row comes
again unchanged, and every 100,000th again with another quantity.
"""
import random
import sys

WORDS = ["Dầu gội", "Sữa tắm", "Kem dưỡng", "Nước hoa", "Xà phòng", "Son môi", "Mặt nạ", "Serum", "Toner", "Lotion"]
SCENTS = ["hoa sen", "bạc hà", "trà xanh", "lavender", "chanh", "nghệ", "dừa", "gừng", "cam", "hồng"]


def main() -> None:
    output = sys.argv[1]
    skus = int(sys.argv[2]) if len(sys.argv) > 2 else 500_000
    numbers = random.Random(20261121)
    row = 0
    with open(output, "w", encoding="utf-8", newline="") as file:
        file.write("SKU,Name,Warehouse,Quantity\r\n")
        for index in range(skus):
            sku = f"{numbers.choice(('HS', 'KB', '0'))}{index * 7 % 10_000_000:07d}"
            name = f"{WORDS[index % 10]} {SCENTS[index // 10 % 10]}"
            shape = index % 100
            if shape < 73:
                name = f'"{name}, {index % 900 + 100} ml"'
            elif shape < 75:
                name = f'"{name} ""mới"", {index % 900 + 100} ml"'
            for warehouse in ("HN", "HCM"):
                row += 1
                quantity = numbers.randrange(0, 2_000)
                line = f"{sku},{name},{warehouse},{quantity}\r\n"
                if row % 40_000 == 7:
                    bad = ("n/a", "", "12x")[row // 40_000 % 3]
                    line = f"{sku},{name},{warehouse},{bad}\r\n"
                elif row % 40_000 == 20_007:
                    line = f",{name},{warehouse},{quantity}\r\n"
                file.write(line)
                if row % 50_000 == 11:
                    file.write(line)
                if row % 100_000 == 13:
                    file.write(f"{sku},{name},{warehouse},{quantity + 1}\r\n")


if __name__ == "__main__":
    main()
