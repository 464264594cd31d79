"""A relay for tests, which stands between a client and a server on this machine: --target PORT. Prints its own port.

SIGUSR1 makes every connection of that moment half-open, as when a firewall forgets it: neither side hears anything
more, not even that it is over. Connections that come later are carried. SIGSTOP and SIGCONT do what they always do.
"""

import argparse
import asyncio
import contextlib
import signal


class Relay:
    def __init__(self, target: int):
        self.target = target
        self.generation = 0
        # Kept, so that nothing that is half-open is ever closed by the collector of garbage.
        self.forgotten = []

    def forget(self):
        self.generation += 1
        print("forgotten", flush=True)

    async def carry(self, reader, writer):
        generation = self.generation
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            # As if nobody listened here.
            writer.transport.abort()
            return
        ways = [(reader, other_writer), (other_reader, writer)]
        await asyncio.gather(*(self.pump(generation, *way) for way in ways))
        if generation != self.generation:
            self.forgotten.append((writer, other_writer))
            return
        for end in (writer, other_writer):
            end.transport.abort() if end.is_closing() else end.close()

    async def pump(self, generation, source, sink):
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if generation != self.generation:
                    continue
                sink.write(data)
                await sink.drain()
        if generation == self.generation:
            sink.close()


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", type=int, required=True)
    relay = Relay(parser.parse_args().target)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, relay.forget)
    # Whoever started this may have blocked it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    server = await asyncio.start_server(relay.carry, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
