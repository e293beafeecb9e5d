#!/usr/bin/env node
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * The libraries and the largest parts of Node, which together take 100 ms of CPU to load. No turn of the event loop may take 20 ms, so they
 * are loaded one by one before the agent is, which then finds them loaded.
 */
const portions: readonly (() => unknown)[] = [
  () => process.getBuiltinModule('node:https'),
  () => import('../linux/libc.ts'),
  () => import('pino'),
  () => import('prom-client'),
  () => import('@kubernetes/client-node'),
  () => import('protobufjs/light.js'),
  () => process.getBuiltinModule('node:http2'),
  () => import('@grpc/grpc-js'),
];
for (const load of portions) {
  await load();
  await nextTurn();
}
const { main } = await import('./run.ts');
await nextTurn();
await main(process.argv.slice(2), process.env);
