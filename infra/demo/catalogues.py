"""The shops' side of the demo: what each of them lists and has at present, and what each shelf must show in the end.

The expected levels are worked out here, from the formulas of the domain rules, by code that shares nothing with the
product: the tests compare the two.
"""

import dataclasses
import decimal
import unicodedata

from erp import Article, chance, normal_form
from shops import WAREHOUSE_SAFETY, Shop


@dataclasses.dataclass
class Listing:
    id: str  # "product", or "product/variation"
    sku: str
    name: str
    code: str | None  # the ERP's code, None where it has none
    reason: str = ""  # why it is unmapped
    units_per_pack: int = 1
    stock: int = 0
    level: int | None = None


def spelled(shop: Shop, code: str, number: int) -> str:
    """The ERP's code in the shop's own way of writing."""
    if shop.spelling == "lower":
        # One letter and its accent as two characters: the same to a person.
        return unicodedata.normalize("NFD", code.lower())
    if shop.spelling == "joined":
        return code.replace("-", "")
    if shop.spelling == "spaced":
        code = code.lstrip("0").replace("-", " ") if number % 2 else code.replace("-", "_")
        return code + " " if number % 5 == 0 else code
    return code


def level(shop: Shop, stock: dict[str, decimal.Decimal], units_per_pack: int, open_units: int = 0) -> int:
    """gross -> available -> offered -> capped -> packs, as the domain rules say."""
    zero = decimal.Decimal(0)
    gross = sum((max(zero, stock[warehouse] - WAREHOUSE_SAFETY[warehouse])
                 for warehouse in shop.warehouses if warehouse in stock), zero)
    available = gross - open_units - shop.buffer
    if available < shop.stop_selling_at:
        return 0
    offered = int((decimal.Decimal(shop.share) * available).to_integral_value(decimal.ROUND_FLOOR))
    return min(max(offered, 0), shop.cap) // units_per_pack


def catalogue(
    seed: int, shop: Shop, articles: list[Article], stock: dict
) -> tuple[list[dict], list[Listing], list[dict]]:
    """The simulator's products, their listings with the expected levels, and the aliases that the shop needs."""
    random_ = chance(seed, "shop", shop.name)
    # A small catalogue is listed nearly whole, so that every shop has something to show.
    part = shop.part if len(articles) > 1000 else max(shop.part, 0.8)
    listed = [article for article in articles if random_.random() < part]
    in_packs = {article.code for article in random_.sample(listed, max(2, len(listed) // 500))} if shop.packs else set()
    singles = [article for article in listed if article.code not in in_packs]
    variable = max(2, len(listed) // 500)
    groups = [singles[index * 3 : index * 3 + 3] for index in range(variable)]
    next_id = shop.first_id
    products: list[dict] = []
    listings: list[Listing] = []
    aliases: list[dict] = []

    def add(sku: str, name: str, code: str | None, reason: str = "", units_per_pack: int = 1) -> Listing:
        nonlocal next_id
        next_id += 1
        listing = Listing(str(next_id), sku, name, code, reason, units_per_pack)
        settle(listing)
        listings.append(listing)
        products.append({"id": next_id, "type": "simple", "sku": sku, "name": name, "stock": listing.stock,
                         "manage_stock": True, "variations": []})
        return listing

    def settle(listing: Listing):
        """Gives the listing its expected level, and the stock it has now: mostly another one."""
        if listing.code is None:
            listing.stock = random_.randint(1, 20)
            return
        listing.level = level(shop, stock[listing.code], listing.units_per_pack)
        right = random_.random() < 0.12
        listing.stock = listing.level if right else max(0, listing.level + random_.choice((-7, -2, 1, 3, 12)))

    for number, group in enumerate(groups, start=1):
        next_id += 1
        parent, name, variations = next_id, f"Bộ chăm sóc số {number}", []
        for article in group:
            next_id += 1
            listing = Listing(f"{parent}/{next_id}", spelled(shop, article.code, next_id), article.name, article.code)
            settle(listing)
            listings.append(listing)
            variations.append({"id": next_id, "sku": listing.sku, "option": article.name,
                               "stock": listing.stock, "manage_stock": True})
        products.append({"id": parent, "type": "variable", "sku": "", "name": name, "stock": None,
                         "manage_stock": False, "variations": variations})
    for article in singles[variable * 3 :]:
        add(spelled(shop, article.code, next_id), article.name, article.code)
    for article in listed:
        if article.code in in_packs:
            for units, suffix, label in ((1, "LE", "lẻ"), (6, "THUNG6", "thùng 6")):
                listing = add(f"{article.code}-{suffix}", f"{article.name} ({label})", article.code, "", units)
                aliases.append({"shop": shop.name, "shop_sku": listing.sku, "listing": "", "erp_code": article.code,
                                "units_per_pack": units})
    for sku in shop.unknown:
        add(sku, "Hộp quà Tết", None, "unknown")
    if shop.unknown:
        add("", "Sản phẩm nháp chưa có mã", None, "blank")
    check(shop, listings, {normal_form(article.code) for article in articles})
    return products, listings, aliases


def check(shop: Shop, listings: list[Listing], known: set[str]):
    """Stops the generator where its data would not be what it says: a mistake here must not become an expectation."""
    skus = [normal_form(listing.sku) for listing in listings if listing.sku]
    assert len(skus) == len(set(skus)), f"{shop.name} lists a SKU twice"
    for listing in listings:
        if listing.reason:
            assert not listing.sku or normal_form(listing.sku) not in known, f"{listing.sku} is known after all"
        elif not shop.packs:
            assert normal_form(listing.sku) == normal_form(listing.code), f"{listing.sku} is not {listing.code}"
