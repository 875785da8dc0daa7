"""
A document of somebody else's, led by lines on standard input. Which one, and over what, say the arguments:

    wiredb connect HOST PORT ROOM     wiredb bind HOST PORT ROOM
    wiredb file PATH [squash]         wiredb pipe-connect|pipe-bind (over the descriptors 3, to read, and 4, to write)
    pycrdt connect HOST PORT ROOM

Commands: `insert TEXT` (at the end), `text`, `push`, `pull`, `close`. Each is answered by one line.
"""

import json
import os
import sys
from contextlib import AsyncExitStack

import anyio
from pycrdt import Doc, Text

READ, WRITE = 3, 4


def say(line):
    print(line, flush=True)


def client_of(wire, doc, **options):
    """What `connect` was until 0.6 is a class for each wire since 0.7."""
    try:
        from wiredb import connect
    except ImportError:
        name = {"websocket": "AsyncWebSocketClient", "file": "AsyncFileClient", "pipe": "AsyncPipeClient"}[wire]
        return getattr(__import__(f"wire_{wire}"), name)(doc=doc, **options)
    return connect(wire, doc=doc, **options)


def server_of(wire, room_factory, **options):
    try:
        from wiredb import bind
    except ImportError:
        name = {"websocket": "AsyncWebSocketServer", "pipe": "AsyncPipeServer"}[wire]
        return getattr(__import__(f"wire_{wire}"), name)(room_factory=room_factory, **options)
    return bind(wire, room_factory=room_factory, **options)


def pipe_ends():
    """Both descriptors, and what the client writes its own stop markers to: nobody reads that here."""
    extra = [os.pipe()[1] for _ in range(2)]
    try:
        from wiredb import connect  # noqa: F401
    except ImportError:
        return WRITE, READ, extra[0], extra[1]
    return WRITE, READ, extra[0]


def room_with(doc):
    from wiredb import Room

    class Shown(Room):
        def __init__(self, id):
            super().__init__(id)
            self._doc = doc

    return Shown


async def open_wiredb(stack, doc, mode, words):
    if mode == "connect":
        host, port, room = words
        client = client_of("websocket", doc, id=room, host=host, port=int(port))
    elif mode == "file":
        client = client_of("file", doc, path=words[0], squash="squash" in words)
    elif mode == "pipe-connect":
        client = client_of("pipe", doc, id="r", connection=pipe_ends())
    elif mode == "pipe-bind":
        server = await stack.enter_async_context(server_of("pipe", room_with(doc)))
        await server.connect("r", WRITE, READ)
        return None
    else:
        host, port, _ = words
        await stack.enter_async_context(server_of("websocket", room_with(doc), host=host, port=int(port)))
        await wait_for_port(host, int(port))
        return None
    await stack.enter_async_context(client)
    return client


async def wait_for_port(host, port):
    while True:
        try:
            await (await anyio.connect_tcp(host, port)).aclose()
            return
        except OSError:
            await anyio.sleep(0.02)


async def open_pycrdt(stack, doc, words):
    from httpx_ws import aconnect_ws
    from pycrdt import Awareness, Provider
    from pycrdt.websocket.websocket import HttpxWebsocket

    host, port, room = words
    socket = await stack.enter_async_context(aconnect_ws(f"{host}:{port}/{room}"))
    await stack.enter_async_context(Provider(doc, HttpxWebsocket(socket, room)))


async def answer(doc, client, word, rest):
    text = doc.get("t", type=Text)
    if word == "insert":
        text += rest
        return "ok"
    if word == "text":
        return f"text {json.dumps(str(text))}"
    if word in ("push", "pull"):
        getattr(client, word)()
        return "ok"
    return f"unknown {word}"


async def main():
    library, mode, *words = sys.argv[1:]
    doc = Doc()
    doc.get("t", type=Text)
    async with AsyncExitStack() as stack:
        client = None
        if library == "wiredb":
            client = await open_wiredb(stack, doc, mode, words)
        else:
            await open_pycrdt(stack, doc, words)
        say("ready")
        while True:
            line = await anyio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
            word, _, rest = line.strip().partition(" ")
            if word in ("close", ""):
                break
            say(await answer(doc, client, word, rest))
            # What was written goes out before the next command is read.
            await anyio.sleep(0)
    say("closed")
    # Threads that read from a pipe do not end.
    os._exit(0)


anyio.run(main)
