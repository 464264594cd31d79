#!/usr/bin/python3
"""Writes stockbridge.yaml for a local stack, and the secrets it refers to.

    make_configuration.py DIRECTORY --shop hanoi=http://127.0.0.1:4001 --shop saigon=... [options]

DIRECTORY is the one that infra/stack/up.sh was given: its file `environment` says where the servers are.
    DIRECTORY/stockbridge.yaml
    DIRECTORY/secrets/broker-SERVICE, database-SERVICE     generated once and kept; SERVICE also `owner` (database)
    DIRECTORY/secrets/broker-admin, database-admin         from the stack
    DIRECTORY/secrets/shop-NAME-key, -secret, -webhook     what the simulator of the shop must be given too

A shop that is not named by --shop gets no entry. Writing again keeps every secret.
"""

import argparse
import pathlib
import secrets
import shlex
import sys
import urllib.parse

import shops

SERVICES = ("stock-ingestor", "stock-publisher", "order-collector", "erp-bridge", "reconciler", "notifier",
            "stockbridge")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--shop", action="append", default=[], metavar="NAME=URL", help="base address of a shop")
    parser.add_argument("--http-port", action="append", default=[], metavar="SERVICE=PORT", help="default: a free one")
    parser.add_argument("--virtual-host", default="stockbridge")
    parser.add_argument("--database", default="stockbridge")
    parser.add_argument("--sftp-directory", help="default: `outgoing` below the stack's SFTP directory")
    parser.add_argument("--output", type=pathlib.Path, help="default: DIRECTORY/stockbridge.yaml")
    parser.add_argument("--ca-file", type=pathlib.Path, help="certificate authority of shops behind https")
    parser.add_argument("--requests-per-second", type=int, default=20)
    parser.add_argument("--look-every-seconds", type=int, default=2)
    parser.add_argument("--collect-every-seconds", type=int, default=5)
    parser.add_argument("--webhook-port", type=int, default=0, help="shops are told of it; default: no webhooks")
    arguments = parser.parse_args()
    arguments.directory = arguments.directory.resolve()
    environment = read_environment(arguments.directory / "environment")
    addresses = dict(pair(text, "--shop") for text in arguments.shop)
    unknown = set(addresses) - {shop.name for shop in shops.SHOPS}
    if unknown:
        sys.exit(f"there is no shop {', '.join(sorted(unknown))} in the demo: see infra/demo/shops.py")
    arguments.incoming = pathlib.Path(
        arguments.sftp_directory or environment["STOCKBRIDGE_TEST_SFTP_DIRECTORY"] + "/outgoing")
    arguments.incoming.mkdir(parents=True, exist_ok=True)
    write_secrets(arguments.directory / "secrets", environment)
    output = arguments.output or arguments.directory / "stockbridge.yaml"
    unfinished = output.with_suffix(".new")
    unfinished.write_text(configuration(arguments, environment, addresses), encoding="utf-8")
    unfinished.rename(output)
    print(output)


def pair(text: str, option: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        sys.exit(f"{option} wants NAME=VALUE, not {text}")
    return name, value


def read_environment(path: pathlib.Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        sys.exit(f"{path} does not exist: run infra/stack/up.sh {path.parent} first")
    words = (word for line in lines for word in shlex.split(line)[1:])
    return dict(word.split("=", 1) for word in words)


def keep(path: pathlib.Path, value: str, replace: bool = False):
    if replace or not path.exists():
        path.touch(mode=0o600)
        path.write_text(value + "\n")


def write_secrets(directory: pathlib.Path, environment: dict[str, str]):
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for service in SERVICES:
        keep(directory / f"broker-{service}", secrets.token_urlsafe(24))
        keep(directory / f"database-{service}", secrets.token_urlsafe(24))
    keep(directory / "database-owner", secrets.token_urlsafe(24))
    for kind, variable in (("broker", "STOCKBRIDGE_TEST_BROKER"), ("database", "STOCKBRIDGE_TEST_DATABASE")):
        password = urllib.parse.urlsplit(environment[variable]).password or ""
        keep(directory / f"{kind}-admin", password, replace=True)
    write_shop_secrets(directory)


def write_shop_secrets(directory: pathlib.Path):
    for shop in shops.SHOPS:
        keep(directory / f"shop-{shop.name}-key", "ck_" + secrets.token_hex(20))
        keep(directory / f"shop-{shop.name}-secret", "cs_" + secrets.token_hex(20))
        keep(directory / f"shop-{shop.name}-webhook", "whsec_" + secrets.token_hex(20))


def configuration(arguments, environment: dict[str, str], addresses: dict[str, str]) -> str:
    broker = urllib.parse.urlsplit(environment["STOCKBRIDGE_TEST_BROKER"])
    management = urllib.parse.urlsplit(environment["STOCKBRIDGE_TEST_BROKER_MANAGEMENT"])
    database = urllib.parse.urlsplit(environment["STOCKBRIDGE_TEST_DATABASE"])
    secret = f"{arguments.directory}/secrets"
    ports = dict(pair(text, "--http-port") for text in arguments.http_port)
    connections = f"""\
# Written by infra/demo/make_configuration.py for servers on this machine alone: nothing here is encrypted.
company: {shops.COMPANY}
time_zone: {shops.TIME_ZONE}
broker:
  host: {broker.hostname}
  port: {broker.port}
  virtual_host: {arguments.virtual_host}
  management_url: "http://{management.hostname}:{management.port}"
  password: "${{file:{secret}/broker-{{service}}}}"
  tls: {{enabled: false}}
database:
  host: {database.hostname}
  port: {database.port}
  name: {arguments.database}
  password: "${{file:{secret}/database-{{service}}}}"
  tls: {{enabled: false}}
admin:
  broker_user: {broker.username}
  broker_password: "${{file:{secret}/broker-admin}}"
  database_user: {database.username}
  database_password: "${{file:{secret}/database-admin}}"
http:
  bind: 127.0.0.1
  ports: {{{", ".join(f"{name}: {ports.get(name, 0)}" for name in SERVICES if name != "stockbridge")}}}
mail:
  host: 127.0.0.1
  port: {environment["STOCKBRIDGE_TEST_SMTP_PORT"]}
  tls: "off"
  from: "Stockbridge <stock@hoasen.example>"
{webhooks(arguments.webhook_port)}"""
    location = {"host": environment["STOCKBRIDGE_TEST_SFTP_HOST"], "port": environment["STOCKBRIDGE_TEST_SFTP_PORT"],
                "user": environment["STOCKBRIDGE_TEST_SFTP_USER"], "key": environment["STOCKBRIDGE_TEST_SFTP_KEY"],
                "fingerprint": environment["STOCKBRIDGE_TEST_SFTP_FINGERPRINT"], "directory": arguments.incoming}
    return connections + merchant(location, addresses, secret, arguments.directory / "secrets", arguments)


def merchant(location: dict, addresses: dict[str, str], secret: str, kept: pathlib.Path, arguments) -> str:
    """What does not depend on where the servers run. `secret` is the folder of the secrets for the services, `kept` the
    same for us."""
    text = f"""\
erp:
  name: erp
  mailbox: [orders@erp.example]
  entry_lag_minutes: 120
  ship_lag_minutes: 1440
  name_limit: 20
  report_wait_minutes: 10
reconciliation: {{mail_by: {{cron: "30 6 * * *", time_zone: {shops.TIME_ZONE}}}, to: general_manager}}
reports: {{notify: operations}}
people:
  operations: [operations@hoasen.example]
  general_manager: [general.manager@hoasen.example]
alerts: {{to: operations}}
retry: {{tiers: [5s, 30s, 2m, 10m, 1h]}}
warehouses:
{"".join(f"  - {{name: {name}, safety: {safety}}}" + chr(10) for name, safety in shops.WAREHOUSE_SAFETY.items())}\
sources:
  - name: {shops.SOURCE}
    location:
      type: sftp
      host: {location["host"]}
      port: {location["port"]}
      user: {location["user"]}
      private_key: {location["key"]}
      host_key: "{location["fingerprint"]}"
      directory: {location["directory"]}
      pattern: "stock-*"
    schedule: {{cron: "0 6 * * *", time_zone: {shops.TIME_ZONE}}}
    look_every_seconds: {arguments.look_every_seconds}
    late_after_minutes: 20
    format:
      type: auto
      encoding: auto
      separator: auto
      decimal: ","
      columns:
        sku: [SKU, Mã hàng]
        warehouse: [Warehouse, Kho]
        on_hand: [Quantity, Tồn kho]
      skip_patterns: ["^Tổng cộng"]
      duplicates: reject
      missing_sku: keep
    as_of: {{from: file_name, pattern: 'stock-(\\d{{8}}-\\d{{4}})', time_zone: {shops.TIME_ZONE}}}
    quantities: gross
    complete_when: {{type: rename}}
    gate: {{max_bad_rows: 100, max_row_change: 0.2, max_to_zero: 0.3, max_units_change: 0.5, max_bytes: 268435456}}
shops:
"""
    return text + "".join(shop_section(shop, addresses[shop.name], secret, kept, arguments)
                          for shop in shops.SHOPS if shop.name in addresses)


def webhooks(port: int) -> str:
    if not port:
        return "webhooks: {bind: 127.0.0.1, port: 0}\n"
    return f'webhooks: {{bind: 127.0.0.1, port: {port}, public_url: "http://127.0.0.1:{port}"}}\n'


def credentials(shop: shops.Shop, secret: str, kept: pathlib.Path) -> str:
    if shop.platform == "shopify":
        client = (kept / f"shop-{shop.name}-key").read_text().strip()
        return f"""\
      client_id: {client}
      client_secret: "${{file:{secret}/shop-{shop.name}-secret}}\""""
    return f"""\
      key: "${{file:{secret}/shop-{shop.name}-key}}"
      secret: "${{file:{secret}/shop-{shop.name}-secret}}\""""


def orders(shop: shops.Shop, secret: str, arguments) -> str:
    # Shopify signs webhooks with the client secret.
    signed = "" if shop.platform == "shopify" else f', webhook_secret: "${{file:{secret}/shop-{shop.name}-webhook}}"'
    return f"{{every_seconds: {arguments.collect_every_seconds}, overlap_minutes: 10, lag_seconds: 1{signed}}}"


def shop_section(shop: shops.Shop, url: str, secret: str, kept: pathlib.Path, arguments) -> str:
    pace = arguments.requests_per_second
    trust = f"\n    ca_file: {arguments.ca_file.resolve()}" if arguments.ca_file else ""
    if url.startswith("http:"):
        trust = "\n    insecure: true"
    return f"""\
  - name: {shop.name}
    platform: {shop.platform}
    url: "{url}"{trust}
    credentials:
{credentials(shop, secret, kept)}
    warehouses: [{", ".join(shop.warehouses)}]
    share: {shop.share}
    cap: {shop.cap}
    buffer: {shop.buffer}
    stop_selling_at: {shop.stop_selling_at}
    mapping: {{rules: [{", ".join(shop.rules)}]}}
    limits: {{requests_per_second: {pace}, burst: {pace}, in_flight: 4, batch: 100, request_timeout_seconds: 30}}
    orders: {orders(shop, secret, arguments)}
    schedules:
      catalogue: {{cron: "30 5 * * *", time_zone: {shops.TIME_ZONE}}}
      report: {{cron: "0 12 * * *", time_zone: {shops.TIME_ZONE}}}
      order_repair: {{cron: "0 3 * * *", time_zone: {shops.TIME_ZONE}}}
    run_deadline_minutes: 30
    feed_stale_after_minutes: 30
"""


if __name__ == "__main__":
    main()
