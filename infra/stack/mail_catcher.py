"""An SMTP server for tests: it keeps every mail as one .eml file and can be told to refuse.

By recipient, so that tests beside each other do not disturb one another:
    refuse-550@...        RCPT TO is answered with that code (any from 400 to 599)
    refuse-data-451@...   the mail is taken in and then refused with that code
    slow-3@...            the answer to the mail comes that many seconds late (at most 60)
    drop@...              the connection is cut after the mail was kept and before it was answered
For everybody, by a control file that is read at each mail: its first line is the answer, such as
"451 4.7.1 greylisted, come back later". An empty or missing file refuses nothing.
"""

import argparse
import asyncio
import itertools
import os
import pathlib
import re
import signal
import time

from aiosmtpd.smtp import SMTP

REFUSE = re.compile(r"^refuse-([45]\d\d)@")
REFUSE_DATA = re.compile(r"^refuse-data-([45]\d\d)@")
SLOW = re.compile(r"^slow-(\d+)@")


class Catcher:
    def __init__(self, directory: pathlib.Path, control: pathlib.Path | None):
        self.directory = directory
        self.control = control
        self.numbers = itertools.count(1)

    async def handle_RCPT(self, server, session, envelope, address, options):
        refused = REFUSE.match(address)
        if refused:
            return f"{refused[1]} refused as the recipient asks"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = self.ordered_answer()
        if answer:
            return answer
        for address in envelope.rcpt_tos:
            refused = REFUSE_DATA.match(address)
            if refused:
                return f"{refused[1]} refused as the recipient asks"
        name = self.keep(envelope)
        for address in envelope.rcpt_tos:
            slow = SLOW.match(address)
            if slow:
                await asyncio.sleep(min(int(slow[1]), 60))
            if address.startswith("drop@"):
                server.transport.abort()
        return f"250 OK kept as {name}"

    def ordered_answer(self) -> str | None:
        if self.control is None:
            return None
        try:
            lines = self.control.read_text().splitlines()
        except FileNotFoundError:
            return None
        return lines[0].strip() if lines and re.match(r"[45]\d\d ", lines[0]) else None

    def keep(self, envelope) -> str:
        """Writes beside and renames, so that a reader never sees half a mail."""
        name = f"{time.time_ns()}-{os.getpid()}-{next(self.numbers)}.eml"
        head = f"X-Envelope-From: {envelope.mail_from}\r\n"
        head += "".join(f"X-Envelope-To: {address}\r\n" for address in envelope.rcpt_tos)
        unfinished = self.directory / f".{name}.part"
        unfinished.write_bytes(head.encode() + envelope.original_content)
        unfinished.rename(self.directory / name)
        return name


async def serve(arguments):
    catcher = Catcher(arguments.directory, arguments.control)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(catcher, hostname="localhost", data_size_limit=64 << 20, enable_SMTPUTF8=True),
        host=arguments.host,
        port=arguments.port,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=pathlib.Path, required=True)
    parser.add_argument("--control", type=pathlib.Path)
    asyncio.run(serve(parser.parse_args()))


main()
