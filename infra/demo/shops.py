#!/usr/bin/python3
"""The merchant of the demo: two warehouses and five shops. The one description that data and configuration share.

    shops.py platform NAME    prints the platform of a shop
"""

import dataclasses
import sys

COMPANY = "Hoa Sen Care"
TIME_ZONE = "Asia/Ho_Chi_Minh"
SOURCE = "erp"
WAREHOUSE_SAFETY = {"HN": 0, "HCM": 3}


@dataclasses.dataclass(frozen=True)
class Shop:
    name: str
    warehouses: tuple[str, ...]
    rules: tuple[str, ...]
    spelling: str  # how the shop writes the ERP's codes: see catalogues.spelled
    first_id: int
    share: str = "1"  # decimal text, because the shelf's level is exact
    cap: int = 99999
    buffer: int = 0
    stop_selling_at: int = 1
    packs: bool = False  # sells some articles singly and by the six, under SKUs of its own
    unknown: tuple[str, ...] = ()  # SKUs that the ERP has never heard of
    platform: str = "woocommerce"
    part: float = 0.985  # of the ERP's articles that it lists


EVERY_RULE = ("trim", "uppercase", "strip_leading_zeros", "remove_separators")

SHOPS = (
    Shop("hanoi", ("HN", "HCM"), ("trim", "uppercase"), "exact", first_id=1000),
    Shop("saigon", ("HCM", "HN"), EVERY_RULE, "lower", first_id=200_000, share="0.8", buffer=2),
    Shop("danang", ("HCM",), EVERY_RULE, "joined", first_id=400_000, cap=500, stop_selling_at=3,
         unknown=("QUA-TET-2027",)),
    Shop("beauty", ("HN", "HCM"), EVERY_RULE, "spaced", first_id=600_000, share="0.5", cap=200, platform="shopify",
         part=0.2),
    Shop("wholesale", ("HN", "HCM"), EVERY_RULE, "exact", first_id=800_000, buffer=5, packs=True, platform="shopify",
         part=0.2),
)


if __name__ == "__main__":
    print(next(shop.platform for shop in SHOPS if shop.name == sys.argv[2]))
