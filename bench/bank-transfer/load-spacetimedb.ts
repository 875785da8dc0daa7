import { setGlobalLogLevel } from 'spacetimedb';
import { DbConnection } from '../../interop/generated/bank-spacetimedb/index.js';
import { answerLoad } from './load.js';

// A line per connection would be printed otherwise.
setGlobalLogLevel('error');

answerLoad(
  (url) =>
    new Promise((resolve, reject) => {
      const conn = DbConnection.builder()
        .withUri(url)
        .withDatabaseName('bank')
        .onConnectError((_, error) => reject(error))
        .onConnect(() =>
          resolve({ transfer: (from, to) => conn.reducers.transfer({ from, to, amount: 1n }) }),
        )
        .build();
    }),
);
