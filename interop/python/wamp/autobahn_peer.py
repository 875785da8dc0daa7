"""Two sessions of autobahn beside our client: serves com.theirs.*, uses com.ours.*, prints what it saw. Arguments: url, serializer."""
import asyncio
import json
import sys

from autobahn_join import join
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.types import (
    CallOptions,
    CallResult,
    EventDetails,
    PublishOptions,
    RegisterOptions,
    SubscribeOptions,
)

URL, SERIALIZER = sys.argv[1:3]
VALUES = [1, 2**40, -0.5, 'grün', None, True, [1, [2]], {'a': {'b': 1}}, b'\x00\x01\xff']


async def serve(session, other, seen, done):
    """What our client calls."""

    def count(details):
        details.progress('a')
        details.progress('b')
        return 'c'

    def fail():
        raise ApplicationError('com.error.theirs', 1, k=2)

    async def wait_for_ever():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen['interrupted'] = True
            raise

    asked = RegisterOptions(details=True)
    await session.register(lambda *args, **kwargs: CallResult(*args, **kwargs), 'com.theirs.echo')
    await session.register(count, 'com.theirs.count', asked)
    await session.register(fail, 'com.theirs.fail')
    await session.register(wait_for_ever, 'com.theirs.wait')
    for uri, match in (('com.theirs.prefix', 'prefix'), ('com..wild', 'wildcard')):
        options = RegisterOptions(match=match, details_arg='details')
        await session.register(lambda details: [details.procedure, details.caller], uri, options)
    for callee, name in ((session, 'one'), (other, 'two')):
        options = RegisterOptions(invoke='roundrobin')
        await callee.register(lambda name=name: name, 'com.theirs.shared', options)
    await session.register(lambda: done.set(), 'com.theirs.leave')


async def error_of(calling):
    try:
        return ['no error', await calling]
    except ApplicationError as error:
        return [error.error, list(error.args), error.kwargs]


async def call_ours(session, seen):
    echoed = await session.call('com.ours.echo', *VALUES, k='v')
    seen['echo'] = [list(echoed.results) == VALUES, echoed.kwresults]
    seen['errors'] = [await error_of(session.call(uri)) for uri in ('com.ours.fail', 'com.nobody')]
    parts = []
    total = await session.call('com.ours.count', options=CallOptions(on_progress=parts.append))
    seen['progress'] = [parts, total]
    calling = session.call('com.ours.wait')
    await session.call('com.ours.arrived')
    calling.cancel()
    seen['timeout'] = (await error_of(session.call('com.ours.wait', options=CallOptions(timeout=20))))[0]


async def events(session, other, seen):
    """The other session's events, by every kind of subscription."""
    heard = []

    def hear(name):
        return lambda *args, details, **kwargs: heard.append([name, list(args), kwargs, details.topic])

    for uri, match in (('com.news.today', 'exact'), ('com.news', 'prefix'), ('com..today', 'wildcard')):
        await session.subscribe(hear(match), uri, SubscribeOptions(match=match, details_arg='details'))
    acknowledged = PublishOptions(acknowledge=True)
    publication = await other.publish('com.news.today', 1, k=2, options=acknowledged)
    await other.publish('com.news.b', b'\xff', options=PublishOptions(acknowledge=True, exclude=[session._session_id]))
    await session.publish('com.news.c', 3, options=acknowledged)
    await session.publish('com.news.d', 4, options=PublishOptions(acknowledge=True, exclude_me=False))
    eligible = PublishOptions(acknowledge=True, eligible=[session._session_id], retain=True)
    await other.publish('com.news.e', 5, options=eligible)
    retained = []
    options = SubscribeOptions(get_retained=True, details=True)
    await session.subscribe(
        lambda value, details: retained.append([value, details.retained, type(details) is EventDetails]),
        'com.news.e',
        options,
    )
    while len(heard) < 5 or not retained:
        await asyncio.sleep(0.005)
    seen['published'] = publication.id > 0
    seen['events'] = sorted(heard, key=lambda event: (event[3], event[0]))
    seen['retained'] = retained


async def main():
    seen, done = {}, asyncio.Event()
    (session, _), (other, _) = await join(URL, SERIALIZER), await join(URL, SERIALIZER)
    await serve(session, other, seen, done)
    subscribed = await session.subscribe(lambda *args, **kwargs: session.publish('com.theirs.back', *args, **kwargs), 'com.ours.news')
    print('session', session._session_id)
    await call_ours(session, seen)
    await events(session, other, seen)
    print('ready')
    await done.wait()
    await subscribed.unsubscribe()
    print('seen', json.dumps(seen))
    for leaving in (session, other):
        leaving.leave()
    while session.is_connected() or other.is_connected():
        await asyncio.sleep(0.005)


asyncio.run(main())
