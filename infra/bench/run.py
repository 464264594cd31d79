#!/usr/bin/env python3
"""Measures the rows of `make bench`: ours, a ceiling in C and a peer, in turns. Started by infra/bench/run.sh.

usage: run.py [--only NAME] [--runs N] [--no-build] [--root DIRECTORY]
"""
import argparse
import base64
import http.client
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import collecting
import sales
import system
import table
from system import Failed

IN_QUEUE, PLAIN_QUEUE, EXCHANGE = "notifier.bench-in", "notifier.bench-plain", "notifier.work"
OUT_QUEUE, DEAD_QUEUE = "notifier.bench-out", "notifier.dead"
CHAIN, RELAY, BROKER, ROWS = 20_000, 20_000, 50_000, 100_000
LETTERS = 100_000
SERVICES = ("stock-publisher", "notifier")
CEILINGS = {
    "csv": [], "xlsx_read": ["-lzip", "-lxml2"], "messaging": ["-lrabbitmq", "-lpq"], "rows": ["-lpq"],
    "xlsx_write": ["-lxlsxwriter"],
}


def say(text: str) -> None:
    print(f"bench: {text}", flush=True)


class Bench:
    def __init__(self, root: pathlib.Path, runs: int, builds: bool):
        self.root, self.runs, self.builds = root, runs, builds
        self.work = root / ".stack"
        self.stack = self.work / "bench"
        self.data = self.work / "bench-data"
        self.programs = self.work / "bench-programs"
        self.python = self.work / "bench-venv/bin/python"
        self.here = root / "infra/bench"
        self.release = root / ".build-release/release"
        self.environment = dict(os.environ)
        self.say = say
        # What is to be measured in this run, and whether the rows that one system gives were.
        self.names: list[str] = []
        self.has_collected = False

    # ---- preparation

    def run(self, *command, log: str | None = None, **options) -> str:
        """The standard output; fails with the end of what the command said."""
        done = subprocess.run(
            [str(word) for word in command], cwd=self.root, env=self.environment, text=True, capture_output=True,
            stdin=subprocess.DEVNULL, **options)
        if log:
            (self.work / log).write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise Failed(f"{' '.join(str(word) for word in command[:4])} ... ended with {done.returncode}:\n{tail}")
        return done.stdout

    def build(self, product: str) -> None:
        if not self.builds:
            return
        say(f"building {product} in release (the first time takes minutes)")
        self.run(
            "swift", "build", "-c", "release", "--scratch-path", ".build-release", "--product", product,
            log="bench-build.log")

    def compile_ceilings(self) -> None:
        self.programs.mkdir(parents=True, exist_ok=True)
        flags = shlex.split(self.run("pkg-config", "--cflags", "libpq", "libxml-2.0"))
        for name, libraries in CEILINGS.items():
            # csv.c, xlsx_read.c, xlsx_write.c, messaging.c, rows.c
            source, program = self.here / f"{name}.c", self.programs / name
            if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
                self.run("cc", "-O2", *flags, "-o", program, source, *libraries)

    def file(self, name: str, generator: str) -> pathlib.Path:
        path, source = self.data / name, self.here / "data" / generator
        if not path.exists() or path.stat().st_mtime < source.stat().st_mtime:
            say(f"writing {path.relative_to(self.root)}")
            self.data.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name("unfinished-" + name)
            self.run(self.python, source, unfinished)
            unfinished.rename(path)
        return path

    def start_stack(self) -> None:
        say(f"starting a private stack under {self.stack.relative_to(self.root)}")
        self.run("infra/stack/up.sh", self.stack, log="bench-stack.log")
        for line in (self.stack / "environment").read_text().splitlines():
            name, value = shlex.split(line)[1].split("=", 1)
            self.environment[name] = value
        self.broker = self.environment["STOCKBRIDGE_TEST_BROKER"] + "/bench"
        self.make_virtual_host("bench")
        server = self.environment["STOCKBRIDGE_TEST_DATABASE"]
        self.database = server.rsplit("/", 1)[0] + "/bench"
        self.environment |= {"STOCKBRIDGE_BENCH_BROKER": self.broker, "STOCKBRIDGE_BENCH_DATABASE": self.database}
        self.sql(server, "-c", "DROP DATABASE IF EXISTS bench", "-c", "CREATE DATABASE bench")
        foundation = next((self.root / "Shared/Migrations/SQL").glob("shared_0001_*.sql"))
        letters = next((self.root / "Shared/Migrations/SQL").glob("dead_letters_0001_*.sql"))
        self.sql(self.database, "-f", foundation, "-f", self.here / "schema.sql", "-f", letters)

    def broker_call(self, method: str, path: str, body: dict | None = None, may_be_missing: bool = False) -> str:
        """What the broker's management interface answers."""
        address = urllib.parse.urlsplit(self.environment["STOCKBRIDGE_TEST_BROKER_MANAGEMENT"])
        credentials = base64.b64encode(f"{address.username}:{address.password}".encode()).decode()
        request = urllib.request.Request(
            f"http://{address.hostname}:{address.port}/api/{path}", method=method,
            data=None if method in ("GET", "DELETE") else json.dumps(body or {}).encode(),
            headers={"Authorization": f"Basic {credentials}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as problem:
            if not (may_be_missing and problem.code == 404):
                raise
            return ""

    def make_virtual_host(self, name: str) -> None:
        """Its own, so that the benchmark's queues and those of the services do not meet. Kept from run to run."""
        user = urllib.parse.urlsplit(self.environment["STOCKBRIDGE_TEST_BROKER_MANAGEMENT"]).username
        self.broker_call("PUT", f"vhosts/{name}")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.broker_call("PUT", f"permissions/{name}/{user}", everything)

    def sql(self, database: str, *arguments) -> None:
        self.run("psql", "-q", "-v", "ON_ERROR_STOP=1", database, *arguments)

    def stop_stack(self) -> None:
        subprocess.run(
            ["infra/stack/down.sh", str(self.stack)], cwd=self.root, stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, check=False)

    # ---- the sides of a row

    def ours(self, *arguments) -> dict:
        return json.loads(self.run(self.release / "stockbridge-bench", *arguments, timeout=300))

    def other(self, *command) -> float:
        """Seconds, which ceilings and peers print first."""
        return float(self.run(*command, timeout=300).split()[0])

    def fill(self, row: str, count: int) -> None:
        if row in WITHOUT_SERVERS:
            return
        self.sql(self.database, "-c", "TRUNCATE bench.inbox, bench.outbox, bench.effects, bench.levels",
                 "-c", "TRUNCATE dead_letters.letters, dead_letters.fingerprints CASCADE")
        if row in ("archive", "chain", "consume", "pipeline", "publish", "relay"):
            self.run(self.release / "stockbridge-bench", "fill", row, count, timeout=300)
        if row == "relay":
            self.sql(self.database, "-v", f"count={count}", "-f", self.here / "fill_outbox.sql")
        if row in ("copy", "upsert"):
            self.sql(self.database, "-v", f"count={count}", "-f", self.here / "fill_levels.sql")

    def measure(self, row: str, count: int, unit: str, sides: dict, peer_name: str | None) -> dict:
        """Rates; `sides` names a function for each side, and all of them take turns."""
        rates: dict[str, list[float]] = {side: [] for side in sides}
        details: list[dict] = []
        for number in range(self.runs):
            for side, function in sides.items():
                self.fill(row, count)
                result = function()
                if isinstance(result, dict):
                    details.append(result)
                    result = result["seconds"]
                rates[side].append(count / result)
            say(f"{row} {number + 1}/{self.runs}: " +
                ", ".join(f"{side} {values[-1]:,.0f}" for side, values in rates.items()) + f" {unit}")
        more = {"peak_mb": table.median([one["peak_mib"] for one in details]) * 1.048576}
        if unit == "messages/s":
            more["cpu_seconds_per_10000"] = table.median([one["cpu_seconds"] for one in details]) * 10_000 / count
        others = [side for side in sides if side not in ("ours", "ceiling", "peer")]
        if others:
            more["notes"] = [f"{side} {table.median(rates[side]):,.0f} {unit}" for side in others]
        return table.entry(row, unit, "higher", rates, peer_name, **more)

    def messaging(
        self, row: str, count: int, queue: str | None, peer: list | None, peer_name: str | None, peer_share: int = 1,
    ) -> dict:
        program, broker, database = self.programs / "messaging", self.broker, self.database
        words = [broker] + ([database] if row in ("chain", "relay") else []) + ([queue] if queue else []) + [count]
        sides = {"ours": lambda: self.ours(row, count), "ceiling": lambda: self.other(program, row, *words)}
        if peer:
            sides["peer"] = lambda: self.other(self.python, self.here / "peers" / peer[0], *peer[1:]) * peer_share
        return self.measure(row, count, "messages/s", sides, peer_name)

    def chain(self) -> dict:
        peer = ["chain_psycopg.py", self.broker, self.database, IN_QUEUE, CHAIN]
        return self.messaging("chain", CHAIN, IN_QUEUE, peer, "pika + psycopg, 100 a transaction")

    def relay(self) -> dict:
        return self.messaging("relay", RELAY, None, None, None)

    def publish(self) -> dict:
        # So slow that a tenth has to do.
        tenth = ["broker_pika.py", "publish", self.broker, EXCHANGE, PLAIN_QUEUE, BROKER // 10]
        return self.messaging("publish", BROKER, PLAIN_QUEUE, tenth, "aio-pika, a tenth of the messages", peer_share=10)

    def consume(self) -> dict:
        peer = ["broker_pika.py", "consume", self.broker, EXCHANGE, PLAIN_QUEUE, BROKER]
        return self.messaging("consume", BROKER, PLAIN_QUEUE, peer, "pika")

    def archive(self) -> dict:
        peer = [self.here / "peers/archive_psycopg.py", self.broker, self.database, DEAD_QUEUE, LETTERS]
        sides = {"ours": lambda: self.ours("archive", LETTERS), "peer": lambda: self.other(self.python, *peer)}
        return self.measure("archive", LETTERS, "messages/s", sides, "pika + psycopg, 500 a transaction")

    def groups(self) -> dict:
        self.fill("groups", LETTERS)
        self.sql(self.database, "-v", f"count={LETTERS}", "-f", self.here / "fill_letters.sql")
        seconds = [self.ours("groups", LETTERS)["seconds"] for _ in range(self.runs)]
        say("groups: " + ", ".join(f"{one:.3f}" for one in seconds) + " s")
        notes = [f"kinds of failures among {LETTERS:,} dead letters"]
        return table.entry("groups", "s", "lower", {"ours": seconds}, None, notes=notes)

    def pipeline(self) -> dict:
        def peer(what: str) -> float:
            # So slow that a tenth has to do.
            words = [what, self.broker, EXCHANGE, PLAIN_QUEUE, BROKER // 10, OUT_QUEUE]
            return self.other(self.python, self.here / "peers/broker_pika.py", *words) * 10

        sides = {
            "ours": lambda: self.ours("pipeline", BROKER),
            "ceiling": lambda: self.other(
                self.programs / "messaging", "pipeline", self.broker, PLAIN_QUEUE, OUT_QUEUE, BROKER),
            "peer": lambda: peer("pipeline"),
            "pika": lambda: peer("pipeline-pika"),
        }
        return self.measure("pipeline", BROKER, "messages/s", sides, "aio-pika, a tenth of the messages")

    def copy(self) -> dict:
        return self.rows("copy", "psycopg COPY")

    def upsert(self) -> dict:
        return self.rows("upsert", "psycopg executemany")

    def rows(self, row: str, peer_name: str) -> dict:
        peer = self.here / "peers/rows_psycopg.py"
        sides = {
            "ours": lambda: self.ours(row, ROWS),
            "ceiling": lambda: self.other(self.programs / "rows", row, self.database, ROWS),
            "peer": lambda: self.other(self.python, peer, row, self.database, ROWS),
        }
        return self.measure(row, ROWS, "rows/s", sides, peer_name)

    def csv(self) -> dict:
        path = self.file("stock.csv", "make_csv.py")
        with path.open("rb") as lines:
            count = sum(1 for _ in lines) - 1
        sides = {
            "ours": lambda: self.ours("csv", path),
            "ceiling": lambda: self.other(self.programs / "csv", path),
            "peer": lambda: self.other(self.python, self.here / "peers/csv_duckdb.py", path),
        }
        return self.measure("csv", count, "rows/s", sides, "DuckDB, all cores")

    def xlsx_read(self) -> dict:
        path = self.file("stock.xlsx", "make_xlsx.py")
        sides = {
            "ours": lambda: self.ours("xlsx-read", path),
            "ceiling": lambda: self.other(self.programs / "xlsx_read", path),
            "peer": lambda: self.other(self.python, self.here / "peers/xlsx_calamine.py", path),
        }
        return self.measure("xlsx-read", 100_001, "rows/s", sides, "python-calamine (Rust)")

    def xlsx_write(self) -> dict:
        peer = self.here / "peers/xlsx_write.py"
        self.data.mkdir(parents=True, exist_ok=True)

        def output(side: str) -> pathlib.Path:
            return self.data / f"written-{side}.xlsx"

        sides = {
            "ours": lambda: self.ours("xlsx-write", output("ours"), ROWS),
            "ceiling": lambda: self.other(self.programs / "xlsx_write", output("ceiling"), ROWS),
            "peer": lambda: self.other(self.python, peer, "xlsxwriter", output("peer"), ROWS),
            "openpyxl": lambda: self.other(self.python, peer, "openpyxl", output("openpyxl"), ROWS),
        }
        return self.measure("xlsx-write", ROWS, "rows/s", sides, "XlsxWriter in constant memory")

    # ---- idle services

    def idle_memory(self) -> dict:
        for product in ("stockbridge", *SERVICES):
            self.build(product)
        self.environment["STOCKBRIDGE_CONFIGURATION"] = str(self.stack / "stockbridge.yaml")
        self.run(
            "/usr/bin/python3", "infra/demo/make_configuration.py", self.stack, "--shop", "hanoi=http://127.0.0.1:9")
        self.run(self.release / "stockbridge", "migrate")
        self.run(self.release / "stockbridge", "topology", "apply", "--yes")
        found: dict[str, list[float]] = {service: [] for service in SERVICES}
        for number in range(min(self.runs, 3)):
            for service in SERVICES:
                found[service].append(self.resident(service))
            say(f"idle-memory {number + 1}: " + ", ".join(f"{name} {mb[-1]:.1f} MB" for name, mb in found.items()))
        largest = max(found, key=lambda service: table.median(found[service]))
        notes = [f"{service} {table.median(values):.1f} MB" for service, values in found.items()]
        return table.entry("idle-memory", "MB", "lower", {"ours": found[largest]}, None, notes=notes)

    def resident(self, service: str) -> float:
        """Resident memory in MB, ten seconds after the service said that it started."""
        log = self.work / f"bench-{service}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [self.release / service], env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + 60
            while '"started"' not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed(f"{service} did not start: {log}\n{log.read_text()[-2000:]}")
                time.sleep(0.2)
            time.sleep(10)
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024 / 1e6
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    # ---- whole systems

    def build_all(self) -> None:
        for product in system.PRODUCTS:
            self.build(product)

    def sale_to_shelf(self) -> list[dict]:
        self.build_all()
        return [sales.measure(self)]

    def collect(self) -> list[dict]:
        """Both rows of collecting at once: the second is compared with the first, in one system."""
        if self.has_collected:
            return []
        self.has_collected = True
        self.build_all()
        return collecting.measure(self, [name for name in self.names if name.startswith("collect")])


ROWS_BY_NAME = {
    "chain": Bench.chain, "relay": Bench.relay, "csv": Bench.csv, "xlsx-read": Bench.xlsx_read,
    "xlsx-write": Bench.xlsx_write,
    "idle-memory": Bench.idle_memory, "publish": Bench.publish, "consume": Bench.consume,
    "pipeline": Bench.pipeline, "copy": Bench.copy, "upsert": Bench.upsert, "archive": Bench.archive,
    "groups": Bench.groups, "sale-to-shelf": Bench.sale_to_shelf,
    "collect": Bench.collect, "collect-2m": Bench.collect,
}
WITHOUT_SERVERS = {"csv", "xlsx-read", "xlsx-write"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", choices=sorted(ROWS_BY_NAME), help="one row")
    parser.add_argument("--runs", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--no-build", action="store_true", help="measure the executables as they are")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    arguments = parser.parse_args()
    names = [arguments.only] if arguments.only else list(ROWS_BY_NAME)
    # So that the stack is stopped then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(arguments.root.resolve(), max(1, arguments.runs), not arguments.no_build)
    bench.names = names
    needs_servers = not WITHOUT_SERVERS.issuperset(names)
    rows, problems = [], []
    try:
        bench.compile_ceilings()
        bench.build("stockbridge-bench")
        if needs_servers:
            bench.start_stack()
        for name in names:
            try:
                found = ROWS_BY_NAME[name](bench)
                rows += found if isinstance(found, list) else [found]
            except (Failed, subprocess.TimeoutExpired, OSError, http.client.HTTPException) as problem:
                problems.append(f"{name}: {problem}")
                say(f"{name} was not measured: {problem}")
    except Failed as problem:
        problems.append(str(problem))
    finally:
        if needs_servers:
            bench.stop_stack()
    if rows:
        print()
        print(table.text(rows))
        table.write(rows, bench.work / "bench.json")
        print(f"\nwritten to {bench.work / 'bench.json'}")
    for problem in problems:
        print(f"bench: failed: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
