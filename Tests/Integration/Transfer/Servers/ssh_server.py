"""An OpenSSH server of its own: host key, client keys, and (as root) an account with a password."""

import getpass
import os
import secrets
import socket
import subprocess

import common

root = common.directory
files = os.path.join(root, "outgoing")
os.mkdir(files)
os.chmod(files, 0o777)


def make_key(name, kind, passphrase=""):
    path = os.path.join(root, name)
    common.run("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", path)
    return path


host_key = make_key("host", "ed25519")
other_host_key = make_key("other_host", "ed25519")
keys = [make_key("ecdsa", "ecdsa"), make_key("ed25519", "ed25519"), make_key("locked", "ecdsa", "khoá dài")]
stranger = make_key("stranger", "ecdsa")
with open(os.path.join(root, "authorized"), "w") as file:
    for key in keys:
        file.write(open(key + ".pub").read())

account, password = "", ""
if os.getuid() == 0:
    account, password = "sftp" + secrets.token_hex(4), secrets.token_hex(12)
    common.run("useradd", "--no-create-home", "--home-dir", files, "--shell", "/bin/sh", account)
    common.at_end(lambda: common.run("userdel", "--force", account))
    common.run("chpasswd", input=f"{account}:{password}\n")
    os.makedirs("/run/sshd", exist_ok=True)

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
config = os.path.join(root, "config")
with open(config, "w") as file:
    file.write(f"""
ListenAddress 127.0.0.1:{port}
HostKey {host_key}
PidFile none
AuthorizedKeysFile {root}/authorized
StrictModes no
UsePAM no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
Subsystem sftp internal-sftp
ForceCommand internal-sftp
LogLevel ERROR
""")
command = ["/usr/sbin/sshd", "-D", "-E", os.path.join(root, "log"), "-f", config]
server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
common.at_end(server.wait)
common.at_end(server.terminate)
while True:  # until it listens; it ends by itself if it cannot
    if server.poll() is not None:
        raise SystemExit("sshd ended")
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        break
    except ConnectionRefusedError:
        pass


def known_hosts(name, key):
    path = os.path.join(root, name)
    with open(path, "w") as file:
        if key:
            file.write(f"[127.0.0.1]:{port} " + " ".join(open(key + ".pub").read().split()[:2]) + "\n")
    return path


def fingerprint(key):
    return common.run("ssh-keygen", "-lf", key + ".pub").split()[1]


common.ready(
    port=port, files=files, user=getpass.getuser(), ecdsa=keys[0], ed25519=keys[1], locked=keys[2], stranger=stranger,
    account=account, password=password, fingerprint=fingerprint(host_key),
    other_fingerprint=fingerprint(other_host_key), known=known_hosts("known", host_key),
    changed=known_hosts("changed", other_host_key), empty=known_hosts("empty", None),
)
