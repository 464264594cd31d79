#!/usr/bin/python3
"""Writes what the demo in containers needs besides the deployment's own secrets.

    make_containers.py DIRECTORY [--requests-per-second 80]

DIRECTORY is what infra/demo/containers.sh prepares; infra/deploy has put `secrets` there before.
    DIRECTORY/stockbridge.yaml                  names every server as compose.yaml does
    DIRECTORY/play/keys/                        the shops' keys, the SFTP server's host key and the ERP's key
    DIRECTORY/play/state/shop-NAME.address      where each shop is
    DIRECTORY/secrets/SERVICE/                  gets copies of the keys that the service uses
"""

import argparse
import pathlib
import secrets
import shutil
import subprocess

import make_configuration
import shops

SFTP_PORT, SMTP_PORT, SHOP_PORT = 2222, 2525, 9000
USES_SHOPS = ("stock-publisher", "order-collector", "reconciler")
PORTS = {"stock-ingestor": 8081, "stock-publisher": 8082, "notifier": 8083, "order-collector": 8084,
         "erp-bridge": 8085, "reconciler": 8086}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--requests-per-second", type=int, default=80)
    arguments = parser.parse_args()
    arguments.ca_file, arguments.look_every_seconds, arguments.collect_every_seconds = None, 2, 5
    play = arguments.directory / "play"
    keys = play / "keys"
    keys.mkdir(parents=True)
    for folder in ("mail", "clock", "state", "sftp/outgoing"):
        (play / folder).mkdir(parents=True)
    fingerprint = write_keys(keys)
    deployed = arguments.directory / "secrets"
    for service in USES_SHOPS:
        for key in keys.glob("shop-*"):
            hand_over(key, deployed / service / key.name)
    hand_over(keys / "client_key", deployed / "stock-ingestor/sftp_key")
    # Signed by itself, so it is its own authority.
    shutil.copy(deployed / "nginx/server.crt", keys / "webhook-ca.pem")
    for shop in shops.SHOPS:
        (play / f"state/shop-{shop.name}.address").write_text(f"shop-{shop.name}:{SHOP_PORT}\n")
    (arguments.directory / "stockbridge.yaml").write_text(configuration(arguments, keys, fingerprint))


def hand_over(key: pathlib.Path, target: pathlib.Path):
    """The services' user differs from the files' owner: the folder above is what keeps others out."""
    target.unlink(missing_ok=True)
    shutil.copy(key, target)
    target.chmod(0o444)


def write_keys(keys: pathlib.Path) -> str:
    make_configuration.write_shop_secrets(keys)
    make_configuration.keep(keys / "simulator-token", secrets.token_urlsafe(24))
    for name in ("host_key", "client_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "stockbridge demo", "-f", keys / name],
                       check=True)
    shutil.copy(keys / "client_key.pub", keys / "authorized_keys")
    said = subprocess.run(["ssh-keygen", "-l", "-E", "sha256", "-f", keys / "host_key.pub"], check=True, text=True,
                          capture_output=True)
    return said.stdout.split()[1]


def configuration(arguments, keys: pathlib.Path, fingerprint: str) -> str:
    ports = ", ".join(f"{name}: {port}" for name, port in PORTS.items())
    connections = f"""\
# Written by infra/demo/make_containers.py for the containers of the demo.
company: {shops.COMPANY}
time_zone: {shops.TIME_ZONE}
broker:
  host: rabbitmq
  virtual_host: stockbridge
  management_url: "https://rabbitmq:15671"
  password: "${{file:/run/secrets/broker-{{service}}}}"
  tls: {{enabled: true, ca_file: /etc/stockbridge/ca.crt}}
database:
  host: postgres
  name: stockbridge
  password: "${{file:/run/secrets/database-{{service}}}}"
  tls: {{enabled: true, ca_file: /etc/stockbridge/ca.crt}}
admin:
  broker_user: admin
  broker_password: "${{file:/run/secrets/broker-admin}}"
  database_user: postgres
  database_password: "${{file:/run/secrets/database-admin}}"
http:
  bind: 0.0.0.0
  ports: {{{ports}}}
mail:
  host: mail
  port: {SMTP_PORT}
  tls: "off"
  from: "Stockbridge <stock@hoasen.example>"
webhooks: {{bind: 0.0.0.0, port: 8090, public_url: "https://nginx:8443"}}
"""
    location = {"host": "sftp", "port": SFTP_PORT, "user": "stockbridge", "key": "/run/secrets/sftp_key",
                "fingerprint": fingerprint, "directory": "/demo/sftp/outgoing"}
    addresses = {shop.name: f"http://shop-{shop.name}:{SHOP_PORT}" for shop in shops.SHOPS}
    return connections + make_configuration.merchant(location, addresses, "/run/secrets", keys, arguments)


if __name__ == "__main__":
    main()
