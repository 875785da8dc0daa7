"""An echo server on python-engineio's AsyncServer; `burst N` is answered with N messages, `close` with the end."""
import engineio
from aiohttp import web

eio = engineio.AsyncServer(async_mode='aiohttp', ping_interval=1, ping_timeout=2)
app = web.Application()
eio.attach(app)


@eio.on('message')
async def on_message(sid, data):
    if data == 'close':
        await eio.disconnect(sid)
    elif isinstance(data, str) and data.startswith('burst '):
        for i in range(int(data[6:])):
            await eio.send(sid, f'burst {i}')
    else:
        await eio.send(sid, data)


@eio.on('disconnect')
def on_disconnect(sid, reason):
    print('disconnect', reason)


async def main():
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    print('port', site._server.sockets[0].getsockname()[1])


if __name__ == '__main__':
    import asyncio

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.run_forever()
