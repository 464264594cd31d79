"""The rows `collect` and `collect-2m`: ten thousand orders from one shop into the ledger and out as events, with a
ledger that is empty and with one that holds two million old orders."""
import subprocess
import time

import table
from system import LATENCY_MS, REQUESTS_PER_SECOND, Failed, Shop, System

ORDERS, SKUS = 10_000, 2_000
OLD, OLD_AT_ONCE, FILL_SECONDS = 2_000_000, 200_000, 180
# Each run takes its own shop: what one has collected the next does not read again.
SHOPS = ["hanoi", "saigon", "danang"]
# The orders were placed within so many seconds.
OVER = 50


def measure(bench, rows: list[str]) -> list[dict]:
    """The wanted rows; the second brings the first along, with which it is compared within one system."""
    # Passes begin when they are asked for.
    options = ["--collect-every-seconds", "3600"]
    with System(bench, "collect", SHOPS, SKUS, False, options) as system:
        collecting = Collecting(bench, system)
        empty = collecting.runs("collect")
        found = [collecting.entry("collect", empty, [])]
        if "collect-2m" in rows:
            old, seconds = collecting.fill()
            full = collecting.runs("collect-2m")
            share = table.median(full) / table.median(empty)
            found.append(collecting.entry(
                "collect-2m", full, [f"{share:.2f} of the rate with an empty ledger",
                                     f"{old:,} old orders in the ledger, written in {seconds:.0f} s"], to_empty=share))
        return found


class Collecting:
    def __init__(self, bench, system: System):
        self.bench, self.system, self.say = bench, system, bench.say
        self.seed = 0
        self.applied: dict[str, list[float]] = {}

    def entry(self, name: str, rates: list[float], notes: list[str], **more) -> dict:
        seconds = ORDERS / table.median(rates)
        return table.entry(
            name, "orders/s", "higher", {"ours": rates}, None, seconds=seconds, **more,
            notes=[
                f"{seconds:.1f} s for {ORDERS:,} orders of one WooCommerce shop, until they are in the ledger and "
                f"their events have left the outbox",
                f"in stock-publisher's tables after {table.median(self.applied[name]):.1f} s",
                f"the shop answers in {LATENCY_MS} ms; {REQUESTS_PER_SECOND} requests a second allowed; all services "
                f"run", *notes,
            ])

    def runs(self, name: str) -> list[float]:
        rates = []
        for number, shop in enumerate(list(self.system.shops.values())[: self.bench.runs]):
            seconds, applied = self.collect(shop)
            rates.append(ORDERS / seconds)
            self.applied.setdefault(name, []).append(applied)
            self.say(f"{name} {number + 1}: {ORDERS:,} orders of {shop.name} in {seconds:.1f} s, "
                     f"{ORDERS / seconds:,.0f} orders/s; applied by stock-publisher after {applied:.1f} s")
        return rates

    def collect(self, shop: Shop) -> tuple[float, float]:
        """Seconds until all are in the ledger and told, and until stock-publisher has them."""
        database = self.system.database
        self.pass_by(shop)
        self.system.settle()
        self.seed += 1
        since = database.one("SELECT date_trunc('second', clock_timestamp() - interval '1 second')")
        placed = shop.call("POST", "orders/bulk", {"count": ORDERS, "over_seconds": OVER, "seed": self.seed})
        first, last = placed["first_id"], placed["last_id"]
        # A pass reads up to one second before its beginning.
        time.sleep(2)
        ids = f"shop = '{shop.name}' AND external_id::int BETWEEN {first} AND {last}"
        recent = f"placed_at > '{since}'::timestamptz - interval '{OVER + 5} seconds'"
        known = f"SELECT count(*) FROM orders.orders WHERE {ids} AND {recent}"
        applied = f"SELECT count(*) FROM publishing.orders WHERE revision > 0 AND {ids} AND {recent}"
        if database.number(known):
            raise Failed(f"some orders of {shop.name} were collected before the command")
        began = time.monotonic()
        asking = self.ask(shop)
        try:
            self.system.wait(
                300, f"the orders of {shop.name}",
                lambda: database.number(known) >= ORDERS
                and database.one("SELECT NOT EXISTS (SELECT FROM orders.outbox)") == "t", every=0.1)
            told = time.monotonic() - began
            self.system.wait(300, "stock-publisher", lambda: database.number(applied) >= ORDERS, every=0.1)
            return told, time.monotonic() - began
        finally:
            asking.wait(60)

    def ask(self, shop: Shop) -> subprocess.Popen:
        return subprocess.Popen(
            [self.bench.release / "stockbridge", "run", "orders", "--shop", shop.name, "--wait", "0"],
            env=self.system.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def pass_by(self, shop: Shop) -> None:
        """Moves the feed's position to now, so that what an earlier run collected is not read once more."""
        now = self.system.database.one("SELECT clock_timestamp()")
        self.ask(shop).wait(60)
        known = f"SELECT complete_up_to > '{now}'::timestamptz - interval '2 seconds' FROM orders.feeds"
        self.system.wait(120, f"a pass of {shop.name}", lambda: self.system.database.one(
            f"{known} WHERE shop = '{shop.name}'") == "t")

    def fill(self) -> tuple[int, float]:
        """Old orders, reported and closed long ago; stops where the time is up. Their number, and the seconds."""
        self.system.settle()
        began, count = time.monotonic(), 0
        while count < OLD and time.monotonic() - began < FILL_SECONDS:
            self.bench.sql(
                self.system.address, "-v", f"first={count + 1}", "-v", f"last={count + OLD_AT_ONCE}",
                "-f", self.bench.here / "fill_ledger.sql")
            count += OLD_AT_ONCE
            self.say(f"{count:,} old orders after {time.monotonic() - began:.0f} s")
        seconds = time.monotonic() - began
        self.bench.sql(self.system.address, "-c", "ANALYZE", "-c", "CHECKPOINT")
        return count, seconds
