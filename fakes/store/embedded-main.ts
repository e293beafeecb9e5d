/**
 * The embedded store as a process. Its standard input carries one JSON object a line: first `{"credentials": {...}}`,
 * which must not stand in arguments or environment, then `{"fault": {...}}` at any time. It prints `ready` with the
 * endpoint, and `fault` once a fault is in force. It ends with its standard input, so it never outlives whoever started it.
 */
import { writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createEmbeddedStore } from './embedded.ts';
import { onJsonLine } from './json-lines.ts';
import type { Credentials } from './s3/request.ts';
import type { StoreFault } from './store.ts';

let fault: StoreFault = { kind: 'none' };

onJsonLine(process.stdin, (line) => {
  if (line.credentials !== undefined) listen(line.credentials as Credentials);
  if (line.fault !== undefined) {
    fault = line.fault as StoreFault;
    print({ event: 'fault', kind: fault.kind });
  }
});
process.stdin.on('end', () => process.exit(0));

function listen(credentials: Credentials): void {
  const server = createEmbeddedStore({ credentials, fault: () => fault });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    print({ event: 'ready', endpoint: `http://127.0.0.1:${port}` });
  });
}

function print(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
