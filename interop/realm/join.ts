import { AuthKeyring, connect, crAuth, cryptosignAuth, scramAuth, ticketAuth } from 'chorale/wamp';

const url = `ws://127.0.0.1:${process.env['PORT'] ?? 3000}`;
const methods = [
  ticketAuth('a ticket for ada'),
  crAuth('correct horse'),
  scramAuth('correct horse'),
  cryptosignAuth({ key: '1111111111111111111111111111111111111111111111111111111111111111' }),
];

for (const method of methods) {
  const keyring = new AuthKeyring([method], { authId: 'ada' });
  await using client = await connect(url, { realm: 'club', keyring });
  console.log(method.name, await client.call('com.example.whoami'));
}
