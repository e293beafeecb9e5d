import { describe, expect, it, vi } from 'vitest';
import { NodeProgram } from './node-program.ts';

class OneContainer extends NodeProgram {
  protected override get parts(): never {
    throw new Error('not needed');
  }

  protected override container() {
    return { pid: 4711, exited: Promise.resolve() };
  }

  protected override startProgram(): never {
    throw new Error('not needed');
  }

  override holdRestarts(): never {
    throw new Error('not needed');
  }
}

describe('kill', () => {
  it('is timed no later than it happens', async () => {
    let done = 0;
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      done = Number(process.hrtime.bigint());
      return true;
    });
    const node = new OneContainer({ onEvent: () => {}, onSerialisedEvents: () => {} });

    const at = await node.kill({ namespace: 'n', pod: 'p', container: 'c' }, 'SIGKILL');

    expect(kill).toHaveBeenCalledWith(4711, 'SIGKILL');
    expect(at).toBeLessThanOrEqual(done);
    kill.mockRestore();
  });
});
