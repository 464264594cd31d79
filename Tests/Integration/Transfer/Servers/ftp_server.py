"""FTP in the clear, with TLS required, with TLS from the first byte, and one from before MLSD."""

import logging
import os
import secrets

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

import common

ca, chain, key = common.certificate()
files = os.path.join(common.directory, "files")
os.makedirs(os.path.join(files, "outgoing"))
password = secrets.token_hex(8)
authorizer = DummyAuthorizer()
authorizer.add_user("stock", password, files, perm="elradfmwMT")


class Plain(FTPHandler):
    pass


class Old(FTPHandler):
    proto_cmds = {name: fact for name, fact in FTPHandler.proto_cmds.items() if name not in ("MLSD", "MLST")}


class Patient(TLS_DTPHandler):
    """The stock handler closes if the client greets before it has said which file; libcurl does, as TLS allows."""

    def readable(self):
        return self.receive or self._ssl_want_read or self._ssl_accepting


class Secure(TLS_FTPHandler):
    dtp_handler = Patient
    certfile, keyfile = chain, key
    tls_control_required = tls_data_required = True


class Implicit(Secure):
    def handle(self):
        self.secure_connection(self.ssl_context)

    def handle_ssl_established(self):
        FTPHandler.handle(self)


def serve(handler):
    handler.authorizer = authorizer
    return FTPServer(("127.0.0.1", 0), handler)


logging.disable(logging.CRITICAL)
servers = {"plain": serve(Plain), "old": serve(Old), "secure": serve(Secure), "implicit": serve(Implicit)}
common.in_background(lambda: servers["plain"].serve_forever(handle_exit=False))  # one loop drives all
common.ready(
    ca=ca, files=os.path.join(files, "outgoing"), password=password,
    **{name: server.address[1] for name, server in servers.items()},
)
