import { describe, expect, it } from 'vitest';
import { volumeLabels, volumeName } from './names.ts';

describe("the names of a dataset's objects", () => {
  it('are those of Fluid, including collisions', () => {
    expect(volumeName({ namespace: 'default', name: 'demo-dataset' })).toBe('default-demo-dataset');
    expect(volumeName({ namespace: 'a-b', name: 'c' })).toBe(volumeName({ namespace: 'a', name: 'b-c' }));
  });

  it('keep label keys and values within 63 characters', () => {
    const labels = volumeLabels({ namespace: 'n'.repeat(63), name: 'd'.repeat(63) }, 'some-uid');
    for (const [key, value] of Object.entries(labels)) {
      expect((key.split('/')[1] ?? '').length).toBeLessThanOrEqual(63);
      expect(value.length).toBeLessThanOrEqual(63);
    }
    expect(labels).toHaveProperty(['fluid.io/s-some-uid'], 'true');
  });
});
