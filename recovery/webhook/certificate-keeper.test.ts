import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { type CertificateStore, createCertificateKeeper, type Kept } from './certificate-keeper.ts';

const names = ['fluid-webhook.fluid-system.svc', 'fluid-webhook.fluid-system'] as const;
const day = 24 * 3600 * 1000;

/** A Secret in memory. */
function createStore(kept?: Kept): CertificateStore & { kept: Kept | undefined; writes: number } {
  let version = 0;
  return {
    kept,
    writes: 0,
    async read() {
      return { kept: this.kept, version: String(version) };
    },
    async write(next, expected) {
      if (expected !== String(version)) return false;
      version++;
      this.writes++;
      this.kept = next;
      return true;
    },
  };
}

function createClock(start = Date.parse('2026-11-22T12:00:00Z')) {
  let time = start;
  return {
    now: () => new Date(time),
    pass(ms: number) {
      time += ms;
    },
  };
}

const keeperOf = (store: CertificateStore | undefined, now: () => Date) =>
  createCertificateKeeper({ names: [...names], store, now });

it('makes a certificate for its names, and trusts it alone at first', async () => {
  const { now } = createClock();
  const kept = await keeperOf(undefined, now).current();
  const parsed = new X509Certificate(kept.certificate);
  expect(names.map((name) => parsed.checkHost(name))).toEqual([...names]);
  expect(kept.authorities).toBe(kept.certificate);
});

it('is one for all replicas, also where they start at the same moment', async () => {
  const { now } = createClock();
  const store = createStore();
  const all = await Promise.all([keeperOf(store, now).current(), keeperOf(store, now).current()]);
  expect(all[0]).toEqual(all[1]);
  expect(store.writes).toBe(1);
});

it('is renewed once a month is left of it; the former one stays trusted', async () => {
  const clock = createClock();
  const store = createStore();
  const [one, other] = [keeperOf(store, clock.now), keeperOf(store, clock.now)];
  const first = await one.current();
  clock.pass(59 * day);
  expect(await one.current()).toEqual(first);
  clock.pass(2 * day);
  const second = await one.current();
  expect(second.certificate).not.toBe(first.certificate);
  expect(second.authorities).toBe(second.certificate + first.certificate);
  expect(await other.current()).toEqual(second);
});

it.each<[string, (kept: Kept) => Kept]>([
  ['what is no certificate', (kept) => ({ ...kept, certificate: 'nonsense' })],
  ['nothing', (kept) => ({ ...kept, certificate: '' })],
])('replaces %s, and does not trust it', async (_, spoil) => {
  const { now } = createClock();
  const good = await keeperOf(undefined, now).current();
  const kept = await keeperOf(createStore(spoil(good)), now).current();
  expect(new X509Certificate(kept.certificate).checkHost(names[0])).toBe(names[0]);
  expect(kept.authorities).toBe(kept.certificate);
});

it('replaces a certificate that is for other names, as after a change of the namespace', async () => {
  const { now } = createClock();
  const former = await createCertificateKeeper({ names: ['elsewhere.svc'], store: undefined, now }).current();
  const kept = await keeperOf(createStore(former), now).current();
  expect(new X509Certificate(kept.certificate).checkHost(names[0])).toBe(names[0]);
});

it('gives up where somebody else writes every time', async () => {
  const { now } = createClock();
  const store = { ...createStore(), write: async () => false };
  await expect(keeperOf(store, now).current()).rejects.toThrow('somebody else wrote it');
});
