"""aiowamp beside our client, over RawSocket with JSON: serves com.theirs.*, uses com.ours.*. Arguments: url, ticket.

It is of 2019: it wants a module of `websockets` that is gone (only its WebSocket transport does, which is not used here).
Cancelling, unsubscribing and WAMP-CRA do not work in it, whatever the router.
"""
import asyncio
import json
import sys
import types

gone = types.ModuleType('websockets.framing')
gone.OP_TEXT, gone.OP_BINARY = 1, 2
sys.modules['websockets.framing'] = gone

import aiowamp

URL, TICKET = sys.argv[1:3]
VALUES = [1, 2**40, -0.5, 'grün', None, True, [1, [2]], {'a': {'b': 1}}, b'\x00\x01\xff']


async def join():
    keyring = aiowamp.AuthKeyring(aiowamp.TicketAuth(TICKET), auth_id='ada') if TICKET else None
    return await aiowamp.connect(URL, realm='realm1', serializer=aiowamp.JSONSerializer(), keyring=keyring)


async def serve(client, other, done):
    """What our client calls."""

    async def echo(invocation):
        return aiowamp.InvocationResult(*invocation.args, **invocation.kwargs)

    async def count(invocation):
        yield 'a'
        yield 'b'
        yield 'c'

    async def fail(invocation):
        raise aiowamp.InvocationError('com.error.theirs', 1, kwargs={'k': 2})

    async def who(invocation):
        return [invocation.procedure, invocation.caller_id]

    async def leave(invocation):
        done.set()

    def named(name):
        async def answer(invocation):
            return name

        return answer

    for uri, handler in (('echo', echo), ('count', count), ('fail', fail), ('leave', leave)):
        await client.register(f'com.theirs.{uri}', handler)
    await client.register('com.theirs.prefix', who, match_policy=aiowamp.MATCH_PREFIX, disclose_caller=True)
    await client.register('com..wild', who, match_policy=aiowamp.MATCH_WILDCARD, disclose_caller=True)
    for callee, name in ((client, 'one'), (other, 'two')):
        policy = aiowamp.INVOKE_ROUND_ROBIN
        await callee.register('com.theirs.shared', named(name), invocation_policy=policy)


async def error_of(calling):
    try:
        return ['no error', (await calling).args]
    except aiowamp.ErrorResponse as error:
        return [error.uri, list(error.args), error.kwargs or {}]


async def call_ours(client, seen):
    echoed = await client.call('com.ours.echo', *VALUES, kwargs={'k': 'v'})
    seen['echo'] = [list(echoed.args) == VALUES, echoed.kwargs]
    seen['errors'] = [await error_of(client.call(uri)) for uri in ('com.ours.fail', 'com.nobody')]
    call = client.call('com.ours.count')
    parts = [part[0] async for part in call]
    seen['progress'] = [parts, (await call)[0]]
    seen['timeout'] = (await error_of(client.call('com.ours.wait', call_timeout=0.02)))[0]


async def events(client, other, seen):
    """The events of one client at the other, by every kind of subscription."""
    heard = []

    def hear(name):
        return lambda event: heard.append([name, list(event.args), event.kwargs, event.topic])

    await client.subscribe('com.news.today', hear('exact'))
    await client.subscribe('com.news', hear('prefix'), match_policy=aiowamp.MATCH_PREFIX)
    await client.subscribe('com..today', hear('wildcard'), match_policy=aiowamp.MATCH_WILDCARD)
    await other.publish('com.news.today', 1, kwargs={'k': 2}, acknowledge=True)
    excluded = aiowamp.BlackWhiteList(excluded_ids=[client.session.session_id])
    await other.publish('com.news.b', 2, acknowledge=True, blackwhitelist=excluded)
    await client.publish('com.news.c', 3, acknowledge=True)
    await client.publish('com.news.d', b'\xff', acknowledge=True, exclude_me=False)
    while len(heard) < 4:
        await asyncio.sleep(0.005)
    seen['octets'] = [event[1] == [b'\xff'] for event in heard].count(True)
    seen['events'] = sorted([name, topic] for name, _, _, topic in heard)
    seen['arguments'] = next([args, kwargs] for name, args, kwargs, _ in heard if name == 'exact')


async def main():
    seen, done = {}, asyncio.Event()
    client, other = await join(), await join()
    await serve(client, other, done)
    await client.subscribe('com.ours.news', lambda event: client.publish('com.theirs.back', *event.args, kwargs=event.kwargs))
    seen['authid'] = client.session.details['authid'] == 'ada'
    await call_ours(client, seen)
    await events(client, other, seen)
    print('ready')
    await done.wait()
    await client.unregister('com.theirs.echo')
    print('seen', json.dumps(seen))
    for leaving in (client, other):
        await leaving.close()


asyncio.run(main())
