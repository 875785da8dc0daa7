"""Sends a burst, checks that all of it comes back, and says goodbye. Arguments: url, transports, kind of client."""
import asyncio
import sys
import threading

import engineio

URL, TRANSPORTS, KIND = sys.argv[1], sys.argv[2].split(','), sys.argv[3]
EXPECTED = ['hello \u20ac', b'\x01\x02\x03'] + [f'burst {i}' for i in range(43)] + [f'own {i}' for i in range(43)]


def report(received, transport):
    print('transport', transport)
    print('received', len(received), 'right' if received == EXPECTED else received)


async def run_async():
    client = engineio.AsyncClient(handle_sigint=False)
    received = []
    done = asyncio.Event()

    @client.on('message')
    def on_message(data):
        received.append(data)
        if len(received) == len(EXPECTED):
            done.set()

    @client.on('disconnect')
    def on_disconnect(reason):
        print('disconnect', reason)
        done.set()

    await client.connect(URL, transports=TRANSPORTS)
    await client.send('hello \u20ac')
    await client.send(b'\x01\x02\x03')
    await client.send('burst 43')
    await asyncio.sleep(0.3)
    for i in range(43):
        await client.send(f'own {i}')
    await asyncio.wait_for(done.wait(), 10)
    # Through several heartbeats.
    await asyncio.sleep(1.5)
    report(received, client.transport())
    await client.disconnect()


def run_sync():
    client = engineio.Client(handle_sigint=False)
    received = []
    done = threading.Event()

    @client.on('message')
    def on_message(data):
        received.append(data)
        if len(received) == len(EXPECTED):
            done.set()

    @client.on('disconnect')
    def on_disconnect(reason):
        print('disconnect', reason)
        done.set()

    client.connect(URL, transports=TRANSPORTS)
    client.send('hello \u20ac')
    client.send(b'\x01\x02\x03')
    client.send('burst 43')
    client.sleep(0.3)
    for i in range(43):
        client.send(f'own {i}')
    done.wait(10)
    client.sleep(1.5)
    report(sorted(received, key=EXPECTED.index), client.transport())
    client.disconnect()


if KIND == 'AsyncClient':
    asyncio.run(run_async())
else:
    run_sync()
