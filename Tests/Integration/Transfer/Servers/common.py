"""What all test servers share: they report on one line when they are ready, and end when their parent does."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

directory = tempfile.mkdtemp(prefix="transfer-test-")
os.chmod(directory, 0o755)
_at_end = []


def at_end(action):
    """Runs `action` before the process ends, last registered first."""
    _at_end.append(action)


def ready(**facts):
    """Tells the test where the server is, then waits until the test closes standard input."""
    print(json.dumps({"directory": directory, **{key: str(value) for key, value in facts.items()}}), flush=True)
    sys.stdin.read()
    for action in reversed(_at_end):
        try:
            action()
        except Exception as error:
            print(error, file=sys.stderr)
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(0)


def in_background(action):
    threading.Thread(target=action, daemon=True).start()


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def certificate():
    """Makes an authority and a certificate for localhost; returns (authority, chain, key) as paths."""
    names = ("ca.pem", "ca.key", "server.pem", "server.key")
    ca, ca_key, chain, key = (os.path.join(directory, name) for name in names)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    run("openssl", "req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-subj", "/CN=Test authority")
    run("openssl", "req", *curve[:-2], "-keyout", key, "-out", chain + ".csr", "-subj", "/CN=localhost")
    extensions = os.path.join(directory, "extensions")
    with open(extensions, "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run(
        "openssl", "x509", "-req", "-in", chain + ".csr", "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
        "-days", "2", "-extfile", extensions, "-out", chain,
    )
    return ca, chain, key
