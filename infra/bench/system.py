"""A whole system to measure: simulated shops and all services as processes of their own, on a database and a virtual
host of their own. Everything listens on loopback, and all of it is ended and removed however the measurement ends."""
import collections
import contextlib
import datetime
import decimal
import http.client
import json
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import zoneinfo

DEMO = pathlib.Path(__file__).resolve().parents[1] / "demo"
sys.path.append(str(DEMO))

import catalogues  # noqa: E402
import shops as merchant  # noqa: E402

SERVICES = ("stock-ingestor", "stock-publisher", "order-collector", "erp-bridge", "reconciler", "notifier")
PRODUCTS = (*SERVICES, "stockbridge", "shop-simulator")
# Of the simulators' answers, as of a shop on the next continent.
LATENCY_MS = 50
# What the configuration allows a shop's account; the simulators themselves set no limit.
REQUESTS_PER_SECOND = 100


class Failed(Exception):
    """Why a system did not do what is measured."""


def free_port() -> int:
    """One below the range that the kernel gives to outgoing connections, so that none of them takes it meanwhile."""
    while True:
        port = random.randrange(10_000, 20_000)
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


def get(port: int, path: str, method: str = "GET", body=None, timeout: float = 60) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        return answer(connection, path, method, body)
    finally:
        connection.close()


def answer(connection: http.client.HTTPConnection, path: str, method: str = "GET", body=None) -> str:
    data = None if body is None else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode()
    if response.status != 200:
        raise Failed(f"{method} {path} was answered with {response.status}: {text[:300]}")
    return text


class Shop:
    """A simulated shop through its control interface, and what is listed there."""

    def __init__(self, rules: merchant.Shop, port: int, expected: dict):
        self.name, self.rules, self.port = rules.name, rules, port
        # By item: the article's code in the ERP, and how many of it a pack holds where that is not one.
        self.codes: dict[str, str] = expected["codes"]
        self.packs: dict[str, int] = expected["packs"]
        self.by_code = {code: item for item, code in self.codes.items() if item not in self.packs}
        self.watching = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str, path: str, body=None):
        return json.loads(get(self.port, f"/__simulator/{path}", method, body, timeout=300))

    def stock(self) -> dict[str, int | None]:
        return {entry["id"]: entry["stock"] for entry in self.call("GET", "stock")}

    def shows(self, item: str) -> int | None:
        """The stock of one article, over a connection that stays open."""
        text = answer(self.watching, "/__simulator/stock?id=" + urllib.parse.quote(item, safe=""))
        return json.loads(text)[0]["stock"]


class Database:
    """Asks one question after another over one connection: starting psql takes longer than most answers."""

    def __init__(self, address: str):
        self.process = subprocess.Popen(
            ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1)

    def one(self, statement: str) -> str:
        """The only value of the only row."""
        self.process.stdin.write(statement + ";\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"the database did not answer: {statement[:200]}")
        return line.strip()

    def number(self, statement: str) -> int:
        return int(self.one(statement))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)


class System:
    """Use with `with`. `bench` is run.py's; `names` are shops of infra/demo/shops.py."""

    def __init__(self, bench, name: str, names: list[str], skus: int, webhooks: bool, options: list[str]):
        self.bench, self.name, self.names, self.skus = bench, name, names, skus
        self.webhooks, self.options = webhooks, options
        self.folder = bench.stack / name
        self.log = self.folder / "log"
        server = bench.environment["STOCKBRIDGE_TEST_DATABASE"]
        self.server, self.address = server, server.rsplit("/", 1)[0] + f"/{name}"
        self.incoming = pathlib.Path(bench.environment["STOCKBRIDGE_TEST_SFTP_DIRECTORY"]) / name
        self.environment = {**bench.environment, "STOCKBRIDGE_CONFIGURATION": str(self.folder / "stockbridge.yaml")}
        self.environment.pop("STOCKBRIDGE_CLOCK_OFFSET_FILE", None)
        self.processes: dict[str, subprocess.Popen] = {}
        self.shops: dict[str, Shop] = {}
        self.stock: dict[str, dict] = {}
        self.database: Database | None = None

    def __enter__(self) -> "System":
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.end()

    # ---- starting and ending

    def start(self) -> None:
        self.remove()
        for folder in (self.log, self.incoming):
            folder.mkdir(parents=True)
        stock_file = self.make_morning()
        self.configure([])
        expected = json.loads((self.folder / "morning/expectations.json").read_text())
        self.stock = {code: {place: decimal.Decimal(quantity) for place, quantity in places.items()}
                      for code, places in expected["stock"].items()}
        for name in self.names:
            self.start_shop(name, expected["shops"][name])
        addresses = [word for shop in self.shops.values()
                     for word in ("--shop", f"{shop.name}=http://127.0.0.1:{shop.port}")]
        self.configure(addresses + (["--webhook-port", str(free_port())] if self.webhooks else []) + self.options)
        self.tool("migrate")
        self.tool("topology", "apply", "--yes")
        self.database = Database(self.address)
        for name in SERVICES:
            self.launch(name, self.bench.release / name)
        for name in SERVICES:
            self.wait(60, f"{name} to be ready", lambda name=name: self.is_ready(name))
        self.go_live(stock_file)

    def end(self) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        if self.database:
            self.database.close()
            self.database = None
        # The logs stay, for whoever asks why.
        self.remove(keeps_logs=True)

    def remove(self, keeps_logs: bool = False) -> None:
        self.bench.sql(self.server, "-c", f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        self.bench.broker_call("DELETE", f"vhosts/{self.name}", may_be_missing=True)
        for folder in ([self.folder / "morning"] if keeps_logs else [self.folder]) + [self.incoming]:
            shutil.rmtree(folder, ignore_errors=True)

    def make_morning(self) -> pathlib.Path:
        """The merchant's stock file and catalogues; the stock is as of ten minutes ago."""
        as_of = datetime.datetime.now(zoneinfo.ZoneInfo(merchant.TIME_ZONE)) - datetime.timedelta(minutes=10)
        written = self.bench.run(
            "/usr/bin/python3", DEMO / "make_morning.py", self.folder / "morning", "--skus", self.skus,
            "--as-of", f"{as_of:%Y-%m-%dT%H:%M}")
        return pathlib.Path(written.strip())

    def configure(self, more: list[str]) -> None:
        self.bench.run(
            "/usr/bin/python3", DEMO / "make_configuration.py", self.bench.stack, "--virtual-host", self.name,
            "--database", self.name, "--sftp-directory", self.incoming, "--output", self.folder / "stockbridge.yaml",
            "--requests-per-second", REQUESTS_PER_SECOND, *more)
        path = self.folder / "stockbridge.yaml"
        # What one measurement collected is not to be read again by the next.
        path.write_text(path.read_text().replace("overlap_minutes: 10", "overlap_minutes: 1"))

    def start_shop(self, name: str, expected: dict) -> None:
        rules = next(shop for shop in merchant.SHOPS if shop.name == name)
        secrets = self.bench.stack / "secrets"
        secret = {kind: (secrets / f"shop-{name}-{kind}").read_text().strip() for kind in ("key", "secret", "webhook")}
        signing = secret["secret" if rules.platform == "shopify" else "webhook"]
        port_file = self.folder / f"{name}.port"
        self.launch(
            f"shop-{name}", self.bench.release / "shop-simulator", "--catalogue",
            self.folder / f"morning/shops/{name}.jsonl", "--name", name, "--latency-ms", LATENCY_MS,
            "--key", secret["key"], "--secret", secret["secret"], "--platform", rules.platform,
            "--webhook-secret", signing, "--points-per-second", 1000, "--port-file", port_file)
        self.wait(30, f"shop {name}", lambda: port_file.exists() and port_file.read_text().strip())
        self.shops[name] = Shop(rules, int(port_file.read_text()), expected)

    def launch(self, name: str, *command) -> None:
        """Ended with this process, should it be killed."""
        with (self.log / f"{name}.log").open("w") as output:
            self.processes[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *(str(word) for word in command)], env=self.environment,
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def is_ready(self, service: str) -> bool:
        text = (self.log / f"{service}.log").read_text(errors="replace")
        lines = [line for line in text.splitlines() if '"message":"health and metrics"' in line]
        with contextlib.suppress(OSError, Failed, ValueError, KeyError):
            return get(int(json.loads(lines[-1])["port"]), "/readyz").strip() == "ready" if lines else False
        return False

    def go_live(self, stock_file: pathlib.Path) -> None:
        """Catalogues, mapping, the stock file; then every shelf shows what it must."""
        self.tool("status", "--wait-for", "catalogues", "--timeout", "120")
        known = self.folder / "mapping.csv"
        lines = (self.folder / "morning/mapping.csv").read_text().splitlines(keepends=True)
        known.write_text("".join(lines[:1] + [line for line in lines[1:] if line.split(",")[0] in self.names]))
        if len(lines) > 1 and known.read_text().count("\n") > 1:
            self.tool("mapping", "import", known, "--yes")
        unfinished = self.incoming / f".{stock_file.name}.part"
        shutil.copy(stock_file, unfinished)
        unfinished.rename(self.incoming / stock_file.name)
        self.tool("run", "stock", "--wait", "120", may_warn=True)
        self.wait(60, "the stock file to be live", lambda: " live " in self.tool("stock", "list", may_warn=True))
        self.tool("status", "--wait-for", "runs", "--timeout", "120")
        for name in self.names:
            self.tool("shadow", "off", name, "--yes")
        self.tool("status", "--wait-for", "runs", "--timeout", "120")
        self.wait_for_shelves(collections.Counter())
        if self.webhooks:
            self.wait(60, "the shops' webhooks", lambda: all(
                shop.call("GET", "webhooks")["subscriptions"] for shop in self.shops.values()))

    # ---- looking

    def tool(self, *words, may_warn: bool = False) -> str:
        done = subprocess.run(
            [self.bench.release / "stockbridge", *(str(word) for word in words)], env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if done.returncode and not (may_warn and done.returncode == 3):
            raise Failed(f"stockbridge {' '.join(str(word) for word in words)} ended with {done.returncode}: "
                          f"{(done.stdout + done.stderr)[-1500:]}")
        return done.stdout

    def level(self, shop: Shop, code: str, open_units: int, units_per_pack: int = 1) -> int:
        return catalogues.level(shop.rules, self.stock[code], units_per_pack, open_units)

    def wrong_shelves(self, sold: collections.Counter) -> list[str]:
        """Shelves that do not show their level once `sold` units of each article are on open orders."""
        wrong = []
        for shop in self.shops.values():
            shown = shop.stock()
            for item, code in shop.codes.items():
                wanted = self.level(shop, code, sold[code], shop.packs.get(item, 1))
                if shown.get(item) != wanted:
                    wrong.append(f"{shop.name} {item} shows {shown.get(item)} and should show {wanted}")
        return wrong

    def wait_for_shelves(self, sold: collections.Counter, seconds: float = 60) -> None:
        try:
            self.wait(seconds, "the shelves to show their levels", lambda: not self.wrong_shelves(sold), every=0.5)
        except Failed as problem:
            wrong = self.wrong_shelves(sold)
            raise Failed(f"{problem}; {len(wrong)} do not, such as: {'; '.join(wrong[:5])}") from None

    def wait(self, seconds: float, what: str, condition, every: float = 0.2) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise Failed(f"waited {seconds:g} s in vain for {what}; logs: {self.log}")
            time.sleep(every)

    def check(self) -> None:
        """Says so if a process has ended, instead of waiting for what it would have done."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                tail = (self.log / f"{name}.log").read_text(errors="replace")[-1500:]
                raise Failed(f"{name} ended with {process.returncode}: {tail}")

    def settle(self, seconds: float = 90) -> None:
        """Waits until every outbox is empty and no message waits in any queue."""
        boxes = ("stock", "publishing", "orders", "erp", "reconciliation", "notifications")
        empty = " AND ".join(f"NOT EXISTS (SELECT FROM {box}.outbox WHERE not_before <= clock_timestamp())"
                             for box in boxes)

        def is_quiet() -> bool:
            if self.database.one(f"SELECT {empty}") != "t":
                return False
            queues = json.loads(self.bench.broker_call("GET", f"queues/{self.name}"))
            return all(not queue.get("messages") for queue in queues if ".retry" not in queue["name"])

        quiet = 0

        def twice() -> bool:
            nonlocal quiet
            quiet = quiet + 1 if is_quiet() else 0
            return quiet >= 3

        # The broker counts its queues anew every five seconds.
        self.wait(seconds, "the queues to be empty", twice, every=2.5)
