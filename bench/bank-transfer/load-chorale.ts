import { DbConnection } from '../../interop/generated/bank-chorale/index.js';
import { answerLoad } from './load.js';

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
