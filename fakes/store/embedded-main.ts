/**
 * The embedded store as a process. It reads the line `{"credentials": {...}}` from standard input, since credentials must not be
 * visible in arguments or environment, and prints `{"event":"ready","endpoint":...}`. It ends when its standard input is closed, so that
 * it never outlives its parent.
 */
import { writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { onJsonLine } from '../lines.ts';
import type { Credentials } from './credentials.ts';
import { createEmbeddedStore } from './embedded-store.ts';

onJsonLine(process.stdin, ({ credentials }) => {
  const server = createEmbeddedStore(credentials as Credentials);
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    writeSync(1, `${JSON.stringify({ event: 'ready', endpoint: `http://127.0.0.1:${port}` })}\n`);
  });
});
process.stdin.on('end', () => process.exit(0));
