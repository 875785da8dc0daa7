/* npm engine.io-client 3.5 ships no types. */
declare module 'engine.io-client-v3' {
  export default function connect(url: string, options: object): unknown;
}
