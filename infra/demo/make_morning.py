#!/usr/bin/python3
"""Writes the data of one morning: the ERP's stock file, five shops' catalogues, and what must come out.

    make_morning.py DIRECTORY [--skus 20000] [--seed 1] [--day 1] [--as-of 2026-11-22T05:45] [--format csv|xlsx]

    DIRECTORY/stock-YYYYMMDD-HHMM.csv   the ERP's file; its path is the only line of the output
    DIRECTORY/shops/NAME.jsonl          a shop's products, one a line, for the shop simulator
    DIRECTORY/mapping.csv               aliases for "stockbridge mapping import"
    DIRECTORY/expectations.json         the file's accounts, and every listing's expected level

The same arguments give the same bytes. A later --day leaves the shops as they were and moves about 5 % of the stock;
its "changed" and "unchanged" still compare with the catalogues, not with the day before.
"""

import argparse
import collections
import csv
import datetime
import decimal
import json
import pathlib
import zoneinfo

import catalogues
import erp
import shops


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--skus", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--day", type=int, default=1)
    parser.add_argument("--as-of", type=datetime.datetime.fromisoformat, help="local time; default: the last 05:45")
    parser.add_argument("--format", choices=("csv", "xlsx"), default="csv")
    arguments = parser.parse_args()
    if arguments.skus < 60:
        parser.error("--skus must be 60 or more: less leaves no room for the dirt")
    as_of = (arguments.as_of or last_closing()).replace(tzinfo=zoneinfo.ZoneInfo(shops.TIME_ZONE))
    as_of += datetime.timedelta(days=arguments.day - 1)
    write(arguments, as_of)


def last_closing() -> datetime.datetime:
    now = datetime.datetime.now(zoneinfo.ZoneInfo(shops.TIME_ZONE))
    closing = now.replace(hour=5, minute=45, second=0, microsecond=0, tzinfo=None)
    return closing if closing <= now.replace(tzinfo=None) else closing - datetime.timedelta(days=1)


def write(arguments, as_of: datetime.datetime):
    directory = arguments.directory
    (directory / "shops").mkdir(parents=True, exist_ok=True)
    warehouses = tuple(shops.WAREHOUSE_SAFETY)
    articles = erp.articles(arguments.seed, arguments.skus)
    forms = collections.Counter(erp.normal_form(article.code) for article in articles)
    assert max(forms.values()) == 1, "two articles have codes that look the same to the rules"

    rows = erp.stock_rows(arguments.seed, arguments.day, articles, warehouses)
    file = erp.stock_file(rows, shops.COMPANY, f"{as_of:%d/%m/%Y %H:%M}")
    path = directory / f"stock-{as_of:%Y%m%d-%H%M}.{arguments.format}"
    (erp.write_csv if arguments.format == "csv" else erp.write_xlsx)(path, file)

    stock = aggregated(rows)
    expected = {"seed": arguments.seed, "skus": arguments.skus, "day": arguments.day,
                "file": accounts(file, path.name, as_of, stock), "shops": {}, "stock": written(stock)}
    aliases = []
    # The shops do not change with the day: their numbers were right or wrong against the first one.
    first = aggregated(erp.stock_rows(arguments.seed, 1, articles, warehouses))
    for shop in shops.SHOPS:
        products, listings, needed = catalogues.catalogue(arguments.seed, shop, articles, first)
        for listing in listings:
            if listing.code is not None:
                listing.level = catalogues.level(shop, stock[listing.code], listing.units_per_pack)
        aliases += needed
        with open(directory / "shops" / f"{shop.name}.jsonl", "w", encoding="utf-8") as out:
            for product in products:
                out.write(json.dumps(product, ensure_ascii=False) + "\n")
        expected["shops"][shop.name] = outcome(listings)
    with open(directory / "mapping.csv", "w", encoding="utf-8", newline="") as out:
        table = csv.DictWriter(out, ("shop", "shop_sku", "listing", "erp_code", "units_per_pack"), lineterminator="\n")
        table.writeheader()
        table.writerows(aliases)
    with open(directory / "expectations.json", "w", encoding="utf-8") as out:
        json.dump(expected, out, ensure_ascii=False, indent=1)
        out.write("\n")
    print(path)


def aggregated(rows: list[erp.Row]) -> dict[str, dict[str, decimal.Decimal]]:
    """Per code and warehouse what counts, as stated: rows that are set aside are left out, repetitions count once."""
    stock: dict[str, dict[str, decimal.Decimal]] = collections.defaultdict(dict)
    for row in rows:
        if not row.reason and not row.repeats:
            stock[row.code][row.warehouse] = decimal.Decimal(row.quantity.replace(",", "."))
    return stock


def written(stock) -> dict[str, dict[str, str]]:
    return {code: {name: f"{quantity.normalize():f}" for name, quantity in by_warehouse.items()}
            for code, by_warehouse in stock.items()}


def accounts(file: erp.StockFile, name: str, as_of: datetime.datetime, stock) -> dict:
    """Every row of the file is accounted for: rows = aggregated + set_aside + duplicates_merged."""
    bad = [{"line": line, "reason": row.reason, "sku": row.code.strip()} for line, row in file.rows if row.reason]
    repeats = sum(row.repeats for _, row in file.rows)
    quantities = [quantity for by_warehouse in stock.values() for quantity in by_warehouse.values()]
    result = {
        "name": name, "as_of": as_of.isoformat(), "lines": len(file.lines), "rows": len(file.rows),
        "aggregated": len(quantities), "set_aside": len(bad), "duplicates_merged": repeats,
        "skipped_lines": file.skipped_lines, "skus": len(stock), "negative": sum(number < 0 for number in quantities),
        "fractional": sum(number != int(number) for number in quantities), "bad_rows": bad,
    }
    assert result["rows"] == result["aggregated"] + result["set_aside"] + result["duplicates_merged"]
    return result


def outcome(listings: list[catalogues.Listing]) -> dict:
    """`levels` is what the shelf shows in the end; an unmapped listing keeps what it has."""
    mapped = [listing for listing in listings if listing.code is not None]
    unchanged = sum(listing.level == listing.stock for listing in mapped)
    return {
        "listed": len(listings), "mapped": len(mapped), "unchanged": unchanged, "changed": len(mapped) - unchanged,
        "unmapped": [{"listing": listing.id, "sku": listing.sku, "reason": listing.reason, "stock": listing.stock}
                     for listing in listings if listing.code is None],
        "levels": {listing.id: listing.level for listing in mapped},
        "codes": {listing.id: listing.code for listing in mapped},
        "packs": {listing.id: listing.units_per_pack for listing in mapped if listing.units_per_pack != 1},
    }


if __name__ == "__main__":
    main()
