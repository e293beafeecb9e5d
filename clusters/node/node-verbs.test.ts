import { describe, expect, it, vi } from 'vitest';
import { NodeVerbs } from './node-verbs.ts';

class OneContainer extends NodeVerbs {
  protected override get parts(): never {
    throw new Error('not needed');
  }

  protected override container() {
    return { pid: 4711, exited: Promise.resolve() };
  }
}

describe('a kill', () => {
  it('is said to have been no later than it was', async () => {
    let done = 0;
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      done = Number(process.hrtime.bigint());
      return true;
    });
    const node = new OneContainer({ onEvent: () => {}, onProbe: () => {} });

    const at = await node.kill({ target: { namespace: 'n', pod: 'p', container: 'c' }, signal: 'SIGKILL' });

    expect(kill).toHaveBeenCalledWith(4711, 'SIGKILL');
    expect(at).toBeLessThanOrEqual(done);
    kill.mockRestore();
  });
});
