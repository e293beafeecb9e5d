import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Connection, Conversation } from './conversation.ts';

/** Two ends, and connections between them that deliver only a given number of the written bytes. */
function ends() {
  const heard = { here: [] as string[], there: [] as string[] };
  const here = new Conversation((line) => heard.here.push(line));
  const there = new Conversation((line) => heard.there.push(line));
  let toHere = '';
  let toThere = '';
  let wires: { readonly here: Connection; readonly there: Connection };
  const reconnect = () => {
    toHere = '';
    toThere = '';
    wires = {
      here: here.attach((text) => (toThere += text)),
      there: there.attach((text) => (toHere += text)),
    };
  };
  const deliver = (characters: number) => {
    const [forHere, forThere] = [toHere.slice(0, characters), toThere.slice(0, characters)];
    toHere = toHere.slice(characters);
    toThere = toThere.slice(characters);
    wires.here.receive(forHere);
    wires.there.receive(forThere);
  };
  const settle = () => {
    while (toHere !== '' || toThere !== '') deliver(1_000);
  };
  reconnect();
  return { here, there, heard, reconnect, deliver, settle };
}

it('delivers each line once and in order, wherever connections break', () => {
  const step = fc.oneof(
    fc.record({ say: fc.constantFrom('here', 'there'), lines: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ deliver: fc.integer({ min: 1, max: 60 }) }),
    fc.constant('cut' as const),
    fc.constant('acknowledge' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { here, there, heard, reconnect, deliver, settle } = ends();
      const said = { here: [] as string[], there: [] as string[] };
      for (const each of steps) {
        if (each === 'cut') reconnect();
        else if (each === 'acknowledge') for (const end of [here, there]) end.acknowledge();
        else if ('deliver' in each) deliver(each.deliver);
        else {
          const own = each.say === 'here' ? said.here : said.there;
          const lines = Array.from({ length: each.lines }, (_, index) => `${each.say} ${own.length + index}`);
          own.push(...lines);
          (each.say === 'here' ? here : there).send(lines);
        }
      }
      reconnect();
      settle();
      expect(heard.there).toEqual(said.here);
      expect(heard.here).toEqual(said.there);
    }),
  );
});

it('ignores a connection that another one has replaced', () => {
  const heard: string[] = [];
  const end = new Conversation((line) => heard.push(line));
  const before = end.attach(() => {});
  const now = end.attach(() => {});
  before.receive('late\n');
  now.receive('{"received":0}\nin time\n');
  expect(heard).toEqual(['in time']);
});
