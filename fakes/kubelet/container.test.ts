import { describe, expect, it } from 'vitest';
import { containerEnvironment, expand, privilegesOf } from './container.ts';

describe('the privileges of a container', () => {
  const capabilities = { drop: ['ALL'], add: ['SYS_ADMIN', 'KILL'] };

  it.each([
    ['nothing', {}, {}],
    ['a user', { runAsUser: 1000 }, { user: { uid: 1000, gid: 1000 } }],
    ['root, whose group is its own', { runAsUser: 0, runAsGroup: 5 }, {}],
    ['capabilities', { capabilities }, { capabilities: ['sys_admin', 'kill'] }],
    ['more capabilities', { capabilities: { add: ['SYS_ADMIN'] } }, {}],
    ['a read-only root', { readOnlyRootFilesystem: true }, { readOnlyRoot: true }],
    ['no escalation', { allowPrivilegeEscalation: false }, { noNewPrivileges: true }],
  ])('follow a security context with %s', (_, securityContext, privileges) => {
    expect(privilegesOf({}, { name: 'c', securityContext })).toEqual(privileges);
  });

  it('take from the pod what the container leaves open', () => {
    const pod = { spec: { containers: [], securityContext: { runAsUser: 7, runAsGroup: 8 } } };
    expect(privilegesOf(pod, { name: 'c', securityContext: { runAsUser: 9 } })).toEqual({ user: { uid: 9, gid: 8 } });
  });
});

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
