"""Joins realm1 with autobahn's asyncio session, over any of its transports and serializers."""
import asyncio

import txaio

txaio.use_asyncio()

from autobahn.asyncio.wamp import ApplicationRunner, Session
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer

SERIALIZERS = {'json': JsonSerializer, 'msgpack': MsgPackSerializer, 'cbor': CBORSerializer}


async def join(url, serializer, authenticator=None):
    """The session and the details of its welcome; ApplicationError if the router does not want it."""
    joined = asyncio.get_running_loop().create_future()

    class Joining(Session):
        def on_join(self, details):
            joined.set_result((self, details))

        def on_leave(self, details):
            if not joined.done():
                joined.set_exception(ApplicationError(details.reason))
            self.disconnect()

    def make(config):
        session = Joining(config)
        if authenticator is not None:
            session.add_authenticator(authenticator)
        return session

    await ApplicationRunner(url, 'realm1', serializers=[SERIALIZERS[serializer]()]).run(make, start_loop=False)
    return await asyncio.wait_for(joined, 10)
