import { KubeConfig } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { loadKubeletConfig } from './kube-config.ts';

const user = (fields: string) => `
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:6444', certificate-authority: /etc/kubernetes/pki/ca.crt } }]
users: [{ name: system:node:n1, user: { ${fields} } }]
contexts: [{ name: x, context: { cluster: c, user: 'system:node:n1' } }]
current-context: x
`;
/** Of the agent. */
const own = new KubeConfig();
own.loadFromClusterAndUser(
  { name: 'own', server: 'https://10.0.0.1:443', caFile: '/run/secrets/ca.crt', skipTLSVerify: false },
  { name: 'agent', token: 'own' },
);
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** The files of a node by path. */
const readFrom = (files: Readonly<Record<string, string>>) => (path: string) => {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
  return Buffer.from(text);
};

it('includes what the kubeconfig names, also by paths relative to it', () => {
  const config = loadKubeletConfig(
    '/var/lib/kubelet/kubeconfig',
    readFrom({
      '/var/lib/kubelet/kubeconfig': user('client-certificate: pki/current.pem, client-key: pki/current.pem'),
      '/var/lib/kubelet/pki/current.pem': 'pair',
    }),
    own,
  );
  expect(config?.getCurrentUser()).toMatchObject({ certData: base64('pair'), keyData: base64('pair') });
  expect(config?.getCurrentUser()).not.toMatchObject({ certFile: expect.anything() });
});

it('asks the API server at the address of the agent, because only the node may reach that of the kubelet', () => {
  const config = loadKubeletConfig('/k', readFrom({ '/k': user('token: secret') }), own);
  expect(config?.getCurrentCluster()).toEqual(own.getCurrentCluster());
  expect(config?.getCurrentUser()).toMatchObject({ name: 'system:node:n1', token: 'secret' });
});

it('is undefined on a node that has no such file', () => {
  expect(loadKubeletConfig('/etc/kubernetes/kubelet.conf', readFrom({}), own)).toBeUndefined();
});

it('is refused if a file that it names is missing', () => {
  const text = user('client-certificate: /pki/current.pem');
  expect(() => loadKubeletConfig('/k', readFrom({ '/k': text }), own)).toThrow('no /pki/current.pem');
});

it('is refused if its credentials are the output of a program, with the remedy', () => {
  const text = user('exec: { apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never }');
  expect(() => loadKubeletConfig('/k', readFrom({ '/k': text }), own)).toThrow('deploy with --patch-nodes');
});
