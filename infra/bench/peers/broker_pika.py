#!/usr/bin/env python3
"""Peer of the publish, consume and pipeline benchmarks: aio-pika publishes, pika consumes. Prints seconds.

usage: broker_pika.py publish|consume BROKER EXCHANGE QUEUE COUNT
       broker_pika.py pipeline|pipeline-pika BROKER EXCHANGE QUEUE COUNT OUT
"""
import asyncio
import sys
import time

BODY = b"x" * 512


async def publish(broker: str, exchange_name: str, queue: str, count: int) -> float:
    import aio_pika

    start = time.perf_counter()
    connection = await aio_pika.connect(broker)
    channel = await connection.channel(publisher_confirms=True)
    exchange = await channel.get_exchange(exchange_name, ensure=False)
    window = asyncio.Semaphore(1000)

    async def one() -> None:
        async with window:
            message = aio_pika.Message(BODY, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await exchange.publish(message, queue, mandatory=True)

    await asyncio.gather(*(one() for _ in range(count)))
    seconds = time.perf_counter() - start
    await connection.close()
    return seconds


def consume(broker: str, queue: str, count: int) -> float:
    import pika

    start = time.perf_counter()
    channel = pika.BlockingConnection(pika.URLParameters(broker)).channel()
    channel.basic_qos(prefetch_count=500)
    done = 0
    for method, _properties, _body in channel.consume(queue, inactivity_timeout=10):
        if method is None:
            sys.exit(f"the queue was empty after {done} messages")
        done += 1
        if done % 100 == 0 or done == count:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if done == count:
            break
    return time.perf_counter() - start


async def pipeline(broker: str, exchange_name: str, queue: str, count: int, out: str) -> float:
    import aio_pika

    start = time.perf_counter()
    connection = await aio_pika.connect(broker)
    channel = await connection.channel(publisher_confirms=True)
    await channel.set_qos(prefetch_count=500)
    exchange = await channel.get_exchange(exchange_name, ensure=False)
    source = await channel.get_queue(queue, ensure=False)
    finished, done = asyncio.Event(), 0

    async def pass_on(taken: aio_pika.abc.AbstractIncomingMessage) -> None:
        nonlocal done
        message = aio_pika.Message(taken.body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await exchange.publish(message, out, mandatory=True)
        await taken.ack()
        done += 1
        if done == count:
            finished.set()

    await source.consume(pass_on)
    await finished.wait()
    seconds = time.perf_counter() - start
    await connection.close()
    return seconds


def pipeline_pika(broker: str, exchange: str, queue: str, count: int, out: str) -> float:
    import pika

    start = time.perf_counter()
    connection = pika.BlockingConnection(pika.URLParameters(broker))
    source, sink = connection.channel(), connection.channel()
    source.basic_qos(prefetch_count=500)
    sink.confirm_delivery()
    persistent = pika.BasicProperties(delivery_mode=2)
    done = 0
    for method, _properties, body in source.consume(queue, inactivity_timeout=10):
        if method is None:
            sys.exit(f"the queue was empty after {done} messages")
        sink.basic_publish(exchange, out, body, persistent, mandatory=True)
        source.basic_ack(method.delivery_tag)
        done += 1
        if done == count:
            break
    return time.perf_counter() - start


def main() -> None:
    what, broker, exchange, queue, count = *sys.argv[1:5], int(sys.argv[5])
    if what == "publish":
        seconds = asyncio.run(publish(broker, exchange, queue, count))
    elif what == "pipeline":
        seconds = asyncio.run(pipeline(broker, exchange, queue, count, sys.argv[6]))
    elif what == "pipeline-pika":
        seconds = pipeline_pika(broker, exchange, queue, count, sys.argv[6])
    else:
        seconds = consume(broker, queue, count)
    print(f"{seconds:.4f} {count}")


if __name__ == "__main__":
    main()
