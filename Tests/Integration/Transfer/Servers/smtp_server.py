"""A mail server that stores what it takes as files, in the clear and with STARTTLS and login."""

import os
import secrets
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import common

mails = os.path.join(common.directory, "mails")
os.mkdir(mails)
password = secrets.token_hex(8)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return f"550 5.1.1 <{address}>: user unknown"
        if address.startswith("later"):
            return "451 4.7.1 greylisted, come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if b"Subject: spam" in envelope.content:
            return "554 5.7.1 looks like spam"
        path = os.path.join(mails, secrets.token_hex(8) + ".eml")
        with open(path, "wb") as file:
            file.write(envelope.content)
        with open(path + ".envelope", "w") as file:
            file.write("\n".join([envelope.mail_from, *envelope.rcpt_tos]))
        return "250 2.0.0 queued as " + os.path.basename(path)


def authenticate(server, session, envelope, mechanism, data):
    login = getattr(data, "login", b""), getattr(data, "password", b"")
    return AuthResult(success=login == (b"stockbridge", password.encode()), handled=False)


class AnyPort(Controller):
    """The stock controller connects to the port it was told once, which must not be 0."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


ca, chain, key = common.certificate()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
plain = AnyPort(Handler(), hostname="127.0.0.1", port=0)
secure = AnyPort(
    Handler(), hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True, auth_required=True,
    authenticator=authenticate,
)
implicit = AnyPort(Handler(), hostname="127.0.0.1", port=0, ssl_context=context)
for controller in (plain, secure, implicit):
    controller.start()
common.ready(plain=plain.port, secure=secure.port, implicit=implicit.port, mails=mails, password=password, ca=ca)
