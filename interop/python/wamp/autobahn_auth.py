"""Proves to the router who it is. Arguments: url, serializer, method, secret (a key's seed in hex for cryptosign)."""
import asyncio
import sys

from autobahn_join import join
from autobahn.wamp.auth import create_authenticator
from autobahn.wamp.exception import ApplicationError

URL, SERIALIZER, METHOD, SECRET = sys.argv[1:5]
KEYWORDS = {'ticket': 'ticket', 'wampcra': 'secret', 'scram': 'password', 'cryptosign': 'privkey'}


async def main():
    if METHOD == 'anonymous':
        authenticator = create_authenticator('anonymous')
    else:
        authenticator = create_authenticator(METHOD, authid='ada', **{KEYWORDS[METHOD]: SECRET})
    try:
        session, details = await join(URL, SERIALIZER, authenticator)
    except ApplicationError as error:
        print('refused', error.error)
        return
    print('joined', details.authid, details.authrole, details.authmethod)
    session.leave()
    while session.is_connected():
        await asyncio.sleep(0.005)


asyncio.run(main())
