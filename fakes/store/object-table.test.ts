import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObjectTable } from './object-table.ts';

const tableOf = (keys: readonly string[]): ObjectTable => {
  const table = new ObjectTable();
  for (const key of keys) table.put(key, Buffer.from(key), new Date(0));
  return table;
};

describe('ObjectTable', () => {
  it('lists each key and common prefix once, in order, whatever the page size', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'ä', '😀', '\uffff'), minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(key),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('', '/'),
        (keys, maxKeys, delimiter) => {
          const table = tableOf(keys);
          const request = { prefix: '', delimiter, after: '', maxKeys };
          const all = table.list({ ...request, maxKeys: 1_000 });
          const objects: string[] = [];
          const prefixes: string[] = [];
          for (let after: string | undefined = ''; after !== undefined; ) {
            const page = table.list({ ...request, after });
            expect(page.objects.length + page.prefixes.length).toBeLessThanOrEqual(maxKeys);
            objects.push(...page.objects.map((object) => object.key));
            prefixes.push(...page.prefixes);
            after = page.next;
          }
          expect(objects).toEqual(all.objects.map((object) => object.key));
          expect(prefixes).toEqual(all.prefixes);
          expect(new Set([...objects, ...prefixes]).size).toBe(objects.length + prefixes.length);
        },
      ),
    );
  });

  it('replaces an object that is put again', () => {
    const table = tableOf(['k']);
    table.put('k', Buffer.from('new'), new Date(1));
    expect(table.get('k')?.body.toString()).toBe('new');
    expect(table.list({ prefix: '', delimiter: '', after: '', maxKeys: 9 }).objects).toHaveLength(1);
  });

  it('lists nothing if max-keys is zero', () => {
    const listing = tableOf(['k']).list({ prefix: '', delimiter: '', after: '', maxKeys: 0 });
    expect(listing).toEqual({ objects: [], prefixes: [], next: undefined });
  });
});
