#!/usr/bin/python3
"""What customers and the shops' people do on the demo's day, and whether everything came out right.

    day.py STACK early      orders of the night, one of them for a SKU that has no article in the ERP yet
    day.py STACK last-one   a sale at one shop that leaves nothing for another; says how long the other's shelf took
    day.py STACK morning    more orders; one is edited, one is cancelled
    day.py STACK map        prints the shop, the SKU without an article, and the article that it is to be
    day.py STACK busy       customers buy, BUSY_ORDERS_PER_SECOND (3), until STACK/state/busy.over exists
    day.py STACK afternoon  an order that was reported is cancelled, and a new one comes
    day.py STACK cancelled-later   prints the shop and the number of that order
    day.py STACK plant      three changes at the shops behind the product's back; what must be found: planted.json
    day.py STACK reports    compares the five workbooks in the ERP's mailbox with the shops' orders, to the last unit
    day.py STACK shelves    compares every shelf with what it must show, open orders taken off
    day.py STACK findings   compares the reconciliation's workbook with planted.json
    day.py STACK break SHOP 503|html   a shop answers so to everything, or to every write
    day.py STACK mend SHOP             and answers as it should again
    day.py STACK levels SHOP           compares every level of a shop with what the push table wants

STACK is the demo's directory. What compares ends with 1 and says what is wrong if anything is.
"""

import collections
import decimal
import email
import email.policy
import io
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import urllib.request

import openpyxl

import catalogues
import shops

MINUTE, HOUR = 60, 3600


class Shop:
    """A simulated shop through its control interface, and what the demo knows of it."""

    def __init__(self, stack: pathlib.Path, rules: shops.Shop, expected: dict):
        self.name, self.rules = rules.name, rules
        self.base = f"http://{address(stack, rules.name)}/__simulator"
        self.headers = {"Content-Type": "application/json"}
        # A shop in another container answers nobody without it.
        token = stack / "keys/simulator-token"
        if token.exists():
            self.headers["X-Simulator-Token"] = token.read_text().strip()
        self.codes = expected["codes"]
        self.packs = expected["packs"]
        self.unmapped = expected["unmapped"]
        self.by_code = {code: item for item, code in self.codes.items() if item not in self.packs}

    def call(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/{path}", data=data, method=method, headers=self.headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def buy(self, items: dict[str, int], **more) -> dict:
        lines = [{"id": item, "quantity": quantity} for item, quantity in items.items()]
        return self.call("POST", "orders", {"lines": lines, **more})

    def orders(self) -> list[dict]:
        return self.call("GET", "orders")

    def stock(self) -> dict[str, int | None]:
        return {entry["id"]: entry["stock"] for entry in self.call("GET", "stock")}


def address(stack: pathlib.Path, shop: str) -> str:
    """A shop of this machine has a file with its port, one in a container a file with its host and port."""
    elsewhere = stack / f"state/shop-{shop}.address"
    if elsewhere.exists():
        return elsewhere.read_text().strip()
    return "127.0.0.1:" + (stack / f"state/shop-{shop}.port").read_text().strip()


def main():
    stack = pathlib.Path(sys.argv[1])
    expectations = json.loads((stack / "morning/expectations.json").read_text())
    merchants = {rules.name: Shop(stack, rules, expectations["shops"][rules.name]) for rules in shops.SHOPS}
    steps = {"early": early, "last-one": last_one, "morning": morning, "busy": busy, "afternoon": afternoon,
             "plant": plant, "map": article, "cancelled-later": cancelled_later, "reports": reports, "shelves": shelves,
             "findings": findings, "break": break_shop, "mend": mend_shop, "levels": levels}
    steps[sys.argv[2]](Day(stack, expectations, merchants))


class Day:
    def __init__(self, stack: pathlib.Path, expectations: dict, merchants: dict[str, Shop]):
        self.stack, self.expectations, self.shops = stack, expectations, merchants
        self.stock = {code: {place: decimal.Decimal(quantity) for place, quantity in rows.items()}
                      for code, rows in expectations["stock"].items()}
        # Articles that a customer of every shop may buy without emptying anything.
        self.plenty = sorted(code for code, rows in self.stock.items()
                             if all(quantity >= 60 for quantity in rows.values()) and len(rows) == 2)

    def buy_at(self, shop: Shop, chance: random.Random, **more) -> dict:
        listed = [code for code in self.plenty if code in shop.by_code]
        chosen = chance.sample(listed, chance.choice((1, 1, 2, 3)))
        return shop.buy({shop.by_code[code]: chance.choice((1, 1, 1, 2, 4)) for code in chosen}, **more)

    def remember(self, **facts):
        path = self.stack / "day.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, **facts}))

    def remembered(self) -> dict:
        return json.loads((self.stack / "day.json").read_text())


def early(day: Day):
    (day.stack / "day.json").unlink(missing_ok=True)
    chance = random.Random("early")
    count = 0
    for shop in day.shops.values():
        for number in range(12):
            ago = chance.randrange(10 * MINUTE, 14 * HOUR)
            day.buy_at(shop, chance, placed_seconds_ago=ago, payment_method="cod" if number % 3 else "bacs",
                       note="=HYPERLINK(\"x\") Giao sau 18 giờ 🧴" if number == 5 else "")
            count += 1
    unknown = next(entry for entry in day.shops["danang"].unmapped if entry["sku"])
    order = day.shops["danang"].buy({unknown["listing"]: 1}, placed_seconds_ago=2 * HOUR)
    day.remember(unmapped_order=order["number"], unmapped_sku=unknown["sku"])
    print(f"{count + 1} orders at {len(day.shops)} shops")


def last_one(day: Day):
    """Sells at hanoi what saigon's shelf still shows, and waits until saigon shows none."""
    here, there = day.shops["hanoi"], day.shops["saigon"]
    stock = there.stock()
    for code in sorted(day.stock):
        item, other = here.by_code.get(code), there.by_code.get(code)
        if not item or not other or not 1 <= (stock.get(other) or 0) <= 6:
            continue
        available = here.stock().get(item) or 0
        if available < 4:
            continue
        break
    else:
        sys.exit("no article is as short as this step needs")
    before = stock[other]
    began = time.monotonic()
    here.buy({item: available})
    while (there.stock()[other] or 0) > 0:
        if time.monotonic() - began > 60:
            sys.exit(f"saigon still shows {code} after a minute")
        time.sleep(0.02)
    print(f"hanoi sold its last {available} of {code}; saigon, which showed {before}, shows 0 after "
          f"{time.monotonic() - began:.1f} s")


def morning(day: Day):
    chance = random.Random("morning")
    placed = [(shop, day.buy_at(shop, chance)) for shop in day.shops.values() for _ in range(8)]
    shop, order = placed[3]
    line = order["lines"][0]
    shop.call("POST", f"orders/{order['id']}/edit",
              {"lines": [{"line_id": line["line_id"], "quantity": line["quantity"] + 2}]})
    other, cancelled = placed[12]
    other.call("POST", f"orders/{cancelled['id']}/cancel", {"restock": True})
    day.remember(edited=[shop.name, order["number"]], cancelled=[other.name, cancelled["number"]])
    print(f"{len(placed)} orders; {shop.name} {order['number']} was edited, "
          f"{other.name} {cancelled['number']} cancelled")


def busy(day: Day):
    """Customers buy at one shop after another until somebody says that the hour is over."""
    over = day.stack / "state/busy.over"
    chance = random.Random("busy")
    pause = 1 / float(os.environ.get("BUSY_ORDERS_PER_SECOND", "3"))
    longest = time.monotonic() + 30 * MINUTE
    counts = collections.Counter()
    for shop in itertools.cycle(day.shops.values()):
        if over.exists():
            break
        if time.monotonic() > longest:
            sys.exit(f"after half an hour nobody has made {over}: the busy hour would go on for ever")
        day.buy_at(shop, chance)
        counts[shop.name] += 1
        time.sleep(pause)
    print(f"{counts.total()} orders at {len(counts)} shops")


def afternoon(day: Day):
    shop = day.shops["saigon"]
    reported = next(order for order in shop.orders() if not order["cancelled"] and len(order["lines"]) == 1)
    shop.call("POST", f"orders/{reported['id']}/cancel", {"restock": True})
    placed = day.buy_at(shop, random.Random("afternoon"))
    day.remember(cancelled_later=["saigon", reported["number"]], late=["saigon", placed["number"]])
    print(f"saigon {reported['number']}, which the ERP has, was cancelled; {placed['number']} is new")


def article(day: Day):
    code = day.plenty[0]
    day.remember(mapped=code)
    print("danang", day.remembered()["unmapped_sku"], code)


def cancelled_later(day: Day):
    print(*day.remembered()["cancelled_later"])


def plant(day: Day):
    """One number typed over, one article taken out, one hidden: each at another shop."""
    chance = random.Random("plant")
    hanoi, danang, saigon = (day.shops[name] for name in ("hanoi", "danang", "saigon"))
    typed, gone, hidden = (chance.choice([item for code, item in shop.by_code.items() if code in set(day.plenty)
                                          and "/" not in item]) for shop in (hanoi, danang, saigon))
    hanoi.call("POST", "stock", {"id": typed, "quantity": hanoi.stock()[typed] + 7})
    danang.call("DELETE", f"products/{gone}")
    saigon.call("POST", f"products/{hidden}/status", {"status": "draft"})
    planted = [["hanoi", typed, "edited_on_site"], ["danang", gone, "missing_on_site"], ["saigon", hidden, "disabled"]]
    (day.stack / "planted.json").write_text(json.dumps(planted))
    day.remember(gone=["danang", gone], typed=["hanoi", typed])
    print("hanoi: a number typed over; danang: an article deleted; saigon: an article hidden")


def mailed_workbooks(day: Day) -> dict[str, list[openpyxl.Workbook]]:
    """The ERP's mailbox: each shop's reports. A mail that came again under its own Message-ID is the same mail."""
    found, seen = collections.defaultdict(list), set()
    for path in sorted((day.stack / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if "orders@erp.example" not in (message["To"] or "") or message["Message-ID"] in seen:
            continue
        seen.add(message["Message-ID"])
        for part in message.iter_attachments():
            shop = part.get_filename().removeprefix("erp-orders-").rsplit("-", 2)[0]
            found[shop].append(openpyxl.load_workbook(io.BytesIO(part.get_content()), read_only=True))
    return found


def rows(workbook: openpyxl.Workbook, sheet: str) -> list[dict]:
    lines = workbook[sheet].iter_rows(values_only=True)
    titles = next(lines, ())
    return [dict(zip(titles, line)) for line in lines]


def text(value) -> str:
    """A cell's text; one that a spreadsheet program might run has an apostrophe before it."""
    value = "" if value is None else str(value)
    return value[1:] if value[:1] == "'" and value.lstrip("'")[:1] in tuple("=+-@\t\n") else value


def reports(day: Day):
    """At this moment no order has been placed after the hour: what the shops have is what the reports must have."""
    workbooks, problems = mailed_workbooks(day), []
    checked = 0
    for shop in day.shops.values():
        if shop.name not in workbooks:
            problems.append(f"{shop.name}: no workbook came")
            continue
        workbook, *others = workbooks[shop.name]
        if others:
            problems.append(f"{shop.name}: {len(others) + 1} reports came at one hour")
        lines = rows(workbook, "Lines")
        reported = collections.defaultdict(list)
        for row in lines:
            reported[row["order no."]].append(row)
        held = {row["order no."] for row in rows(workbook, "Held")}
        wanted = {order["number"]: order for order in shop.orders() if not order["cancelled"] and not order["deleted"]}
        for number in sorted(set(wanted) - set(reported) - held):
            problems.append(f"{shop.name} {number} is missing")
        for number in sorted(set(reported) - set(wanted)):
            problems.append(f"{shop.name} {number} should not be there")
        for number in sorted(set(wanted) & set(reported)):
            found = differences(wanted[number], reported[number])
            problems += [f"{shop.name} {number}: {problem}" for problem in found]
            checked += 1
        control = {text(row[0]): row[1] for row in workbook["Control"].iter_rows(values_only=True)
                   if len(row) > 1}
        counted = control.get("orders on Lines")
        if counted != len(reported):
            problems.append(f"{shop.name}: Control counts {counted} orders, Lines has {len(reported)}")
    finish(problems, f"{checked} orders in {len(workbooks)} workbooks equal the shops' own to the last unit")


def differences(order: dict, lines: list[dict]) -> list[str]:
    found = []
    bought = sorted((line["sku"], decimal.Decimal(line["quantity"])) for line in order["lines"] if line["quantity"])
    told = sorted((text(line["shop SKU"]), decimal.Decimal(str(line["quantity"]))) for line in lines)
    if bought != told:
        found.append(f"the shop says {bought}, the report {told}")
    totals = {decimal.Decimal(str(line["order total"])) for line in lines}
    if totals != {decimal.Decimal(order["total"])}:
        found.append(f"the shop's total is {order['total']}, the report's {totals}")
    if len({line["line no."] for line in lines}) != len(lines):
        found.append("a line stands there twice")
    return found


def shelves(day: Day):
    facts = day.remembered()
    mapped = facts.get("mapped")
    open_units = collections.Counter()
    for shop in day.shops.values():
        for order in shop.orders():
            if order["cancelled"] or order["deleted"]:
                continue
            for line in order["lines"]:
                code = shop.codes.get(line["item"]) or (mapped and line["sku"] == facts["unmapped_sku"] and mapped)
                if code:
                    open_units[code] += line["quantity"] * shop.packs.get(line["item"], 1)
    problems, count = [], 0
    for shop in day.shops.values():
        stock = shop.stock()
        for item, code in shop.codes.items():
            if [shop.name, item] == facts.get("gone") or [shop.name, item] == facts.get("typed"):
                continue
            wanted = catalogues.level(shop.rules, day.stock[code], shop.packs.get(item, 1), open_units[code])
            count += 1
            if stock.get(item) != wanted:
                problems.append(f"{shop.name} {item} ({code}) shows {stock.get(item)} and should show {wanted}, "
                                f"{open_units[code]} on open orders")
    finish(problems, f"{count} shelves show what they must, {sum(open_units.values())} units on open orders taken off")


def break_shop(day: Day):
    shop, how = day.shops[sys.argv[3]], sys.argv[4]
    faults = {"503": {"kind": "status", "status": 503},
              "html": {"kind": "html", "method": "POST", "path": "/wp-json/wc/v3/products"}}
    shop.call("POST", "faults", faults[how])


def mend_shop(day: Day):
    day.shops[sys.argv[3]].call("DELETE", "faults")


def levels(day: Day):
    shop = day.shops[sys.argv[3]]
    stock = shop.stock()
    table = subprocess.run(
        ["psql", "-qAtF", "|", os.environ["STOCKBRIDGE_TEST_DATABASE"].rpartition("/")[0] + "/stockbridge", "-c",
         f"SELECT shelf, wanted FROM publishing.shelves WHERE shop = '{shop.name}' AND wanted IS NOT NULL"],
        check=True, capture_output=True, text=True).stdout.split()
    wanted = dict(line.split("|") for line in table)
    problems = [f"{shop.name} {item} shows {stock.get(item)} and should show {level}"
                for item, level in wanted.items() if stock.get(item) != int(level)]
    finish(problems, f"{len(wanted)} levels of {shop.name} are what they must be")


def findings(day: Day):
    planted = {tuple(entry) for entry in json.loads((day.stack / "planted.json").read_text())}
    known = {(shop.name, entry["listing"], "unmapped") for shop in day.shops.values() for entry in shop.unmapped}
    workbook = None
    for path in sorted((day.stack / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for part in message.iter_attachments():
            if (part.get_filename() or "").startswith("reconciliation"):
                workbook = openpyxl.load_workbook(io.BytesIO(part.get_content()), read_only=True)
    if workbook is None:
        sys.exit("no reconciliation was mailed")
    found = {(row["Shop"], simulated(row["Listing"]), row["Category"]) for row in rows(workbook, "Differences")}
    found = {entry for entry in found if entry[2] != "in_flight"}
    problems = [f"{' '.join(entry)} was not found" for entry in sorted(planted - found)]
    problems += [f"{' '.join(entry)} is no difference" for entry in sorted(found - planted - known)]
    finish(problems, f"the {len(planted)} planted differences were found and named, and no others "
                     f"({len(found & known)} listings without an article are known)")


def simulated(listing) -> str:
    """The simulator's key of a listing: Shopify's product without options is its own only variant."""
    product, _, variant = text(listing).partition("/")
    return product if variant in ("", product) else f"{product}/{variant}"


def finish(problems: list[str], sentence: str):
    if problems:
        sys.exit("\n".join([f"{len(problems)} problems:", *problems[:20]]))
    print(sentence)


if __name__ == "__main__":
    main()
