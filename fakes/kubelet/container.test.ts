import { describe, expect, it } from 'vitest';
import { containerEnvironment, expand } from './container.ts';

describe('the environment of a container', () => {
  it('has values and fields of the pod', () => {
    const fieldRef = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
    const env = [{ name: 'A', value: 'a' }, { name: 'POD', ...fieldRef('metadata.name') }, { name: 'NONE' }];
    const pod = { metadata: { name: 'app' } };
    expect(containerEnvironment({ name: 'c', env }, pod)).toEqual({ A: 'a', POD: 'app', NONE: '' });
  });

  it.each([
    ['logs/$(POD)', 'logs/app'],
    ['$(POD)/$(POD)', 'app/app'],
    ['$$(POD)', '$(POD)'],
    ['$(OTHER)', undefined],
    ['plain', 'plain'],
  ])('expands %s', (text, expanded) => {
    expect(expand(text, { POD: 'app' })).toBe(expanded);
  });
});
