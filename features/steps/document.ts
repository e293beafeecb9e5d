import { deepStrictEqual } from 'node:assert/strict';
import { Then, When } from '@cucumber/cucumber';
import * as document from '../../src/scenario/documented-steps.ts';
import type { RekindleWorld } from '../support/world.ts';

const terminals = new WeakMap<RekindleWorld, document.Terminal>();

async function terminalOf(world: RekindleWorld): Promise<document.Terminal> {
  const terminal = terminals.get(world) ?? (await document.sitDown(world.trial));
  terminals.set(world, terminal);
  return terminal;
}

When('the documented files are created with the documented commands', async function (this: RekindleWorld) {
  const printed = await document.createAll(this.trial, await terminalOf(this));
  deepStrictEqual(printed.trimEnd().split('\n'), [
    'secret/mysecret created',
    'dataset.data.fluid.io/demo-dataset created',
    'jindoruntime.data.fluid.io/demo-dataset created',
    'pod/demo-app created',
  ]);
});

Then('the documented command prints the pod as {string}', async function (this: RekindleWorld, row: string) {
  deepStrictEqual(await document.getPod(await terminalOf(this)), ['NAME READY STATUS RESTARTS', row]);
});

When('the documented loop runs in a terminal', async function (this: RekindleWorld) {
  await document.startDocumentedLoop(this.trial, await terminalOf(this));
});

When(
  'the documented commands crash the FUSE pod, which takes {duration} to start again',
  async function (this: RekindleWorld, ms: number) {
    await document.crashAsDocumented(this.trial, await terminalOf(this), ms);
  },
);
