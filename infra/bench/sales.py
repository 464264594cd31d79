"""The row `sale-to-shelf`: how long the other shops go on offering what one shop has just sold."""
import collections
import math
import random
import time

import table
from system import LATENCY_MS, REQUESTS_PER_SECOND, Failed, Shop, System

SALES, SKUS = 120, 500
# So many that the shop with the smallest share shows less afterwards.
UNITS = 2
STEPS = (
    ("order to webhook", "SELECT min(received_at) FROM orders.webhook_deliveries WHERE received_at"),
    ("to ledger", "SELECT min(learnt_at) FROM orders.revisions WHERE learnt_at"),
    ("to level", "SELECT max(decided_at) FROM publishing.shelf_versions WHERE cause_kind = 'order' AND decided_at"),
    ("to push", "SELECT max(began_at) FROM publishing.pushes WHERE began_at"),
    ("to answer", "SELECT max(ended_at) FROM publishing.pushes WHERE ended_at"),
)


def percentile(values: list[float], percent: float) -> float:
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def measure(bench) -> dict:
    with System(bench, "sale_to_shelf", ["hanoi", "saigon", "danang", "beauty", "wholesale"], SKUS, True, []) as system:
        return Sales(bench, system).entry()


class Sales:
    def __init__(self, bench, system: System):
        self.system, self.say = system, bench.say
        self.sold: collections.Counter[str] = collections.Counter()
        self.seconds: dict[str, list[float]] = {name: [] for name in system.names}
        self.steps: dict[str, list[float]] = {name: [] for name, _ in STEPS}

    def entry(self) -> dict:
        articles = self.articles()
        # The sales must not keep step with anything that the services do regularly.
        pause = random.Random("pauses")
        sellers = list(self.system.shops.values())
        for number in range(SALES):
            seller = sellers[number % len(sellers)]
            self.seconds[seller.name].append(self.sell(seller, articles[number % len(articles)]))
            if (number + 1) % 20 == 0:
                every = [value for values in self.seconds.values() for value in values]
                self.say(f"sale-to-shelf {number + 1}/{SALES}: p50 {percentile(every, 50):.2f} s, "
                         f"p95 {percentile(every, 95):.2f} s")
            time.sleep(pause.uniform(0.1, 0.7))
        # Nothing was sold twice or lost on the way.
        self.system.wait_for_shelves(self.sold)
        return self.result()

    def result(self) -> dict:
        every = [value for values in self.seconds.values() for value in values]
        p50, p95 = percentile(every, 50), percentile(every, 95)
        sellers = ", ".join(f"{name} {percentile(values, 50):.2f}" for name, values in self.seconds.items())
        steps = ", ".join(f"{name} {table.median(values):.3f}" for name, values in self.steps.items() if values)
        return table.entry(
            "sale-to-shelf", "s (p95)", "lower", {"ours": [p95]}, None, runs=len(every), p50=p50,
            notes=[
                f"p50 {p50:.2f} s, p95 {p95:.2f} s, longest {max(every):.2f} s of {len(every)} sales one after another",
                "from the order until all four other shops show less; no peer does this",
                f"shops answer in {LATENCY_MS} ms and tell of orders by webhook; "
                f"{REQUESTS_PER_SECOND} requests a second allowed",
                f"p50 by selling shop: {sellers}", f"median seconds by step: {steps}",
            ])

    def articles(self) -> list[str]:
        """Articles listed at every shop, of which a sale lowers every other shelf; each may be sold several times."""
        shops = self.system.shops.values()
        often = 3
        found = [
            code for code in sorted(self.system.stock)
            if all(code in shop.by_code for shop in shops) and all(
                self.system.level(shop, code, sold) > self.system.level(shop, code, sold + UNITS)
                for shop in shops for sold in range(0, often * UNITS, UNITS))
        ]
        random.Random("articles").shuffle(found)
        if len(found) * often < SALES:
            raise Failed(f"only {len(found)} articles are listed at every shop with enough in stock")
        return found[:SALES]

    def sell(self, seller: Shop, code: str) -> float:
        """Seconds until every other shop shows the lower number."""
        self.sold[code] += UNITS
        waiting = {
            shop.by_code[code]: (shop, self.system.level(shop, code, self.sold[code]))
            for shop in self.system.shops.values() if shop is not seller
        }
        order = {"lines": [{"id": seller.by_code[code], "quantity": UNITS}]}
        placed, began = time.time(), time.monotonic()
        seller.call("POST", "orders", order)
        while waiting:
            for item, (shop, wanted) in list(waiting.items()):
                if shop.shows(item) == wanted:
                    del waiting[item]
            ended = time.monotonic()
            if waiting and ended - began > 30:
                self.system.check()
                shop, wanted = next(iter(waiting.values()))
                raise Failed(f"{seller.name} sold {code}; {shop.name} does not show {wanted} after 30 s")
            time.sleep(0.005)
        self.note_steps(placed, placed + ended - began)
        return ended - began

    def note_steps(self, placed: float, shown: float) -> None:
        """When each service had done its part, by their own tables: sales do not overlap, so the time tells them."""
        before = placed
        for name, question in STEPS:
            found = self.system.database.one(
                f"SELECT coalesce(extract(epoch FROM ({question} BETWEEN to_timestamp({placed - 0.001:.6f}) "
                f"AND to_timestamp({shown + 0.05:.6f}))), 0)")
            if float(found):
                self.steps[name].append(max(0.0, float(found) - before))
                before = float(found)
