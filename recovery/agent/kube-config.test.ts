import { expect, it } from 'vitest';
import { loadKubeletConfig } from './kube-config.ts';

const user = (fields: string) => `
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://10.0.0.1:6443', certificate-authority: /etc/kubernetes/pki/ca.crt } }]
users: [{ name: system:node:n1, user: { ${fields} } }]
contexts: [{ name: x, context: { cluster: c, user: 'system:node:n1' } }]
current-context: x
`;
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
      '/etc/kubernetes/pki/ca.crt': 'authority',
      '/var/lib/kubelet/pki/current.pem': 'pair',
    }),
  );
  expect(config?.getCurrentCluster()).toMatchObject({ server: 'https://10.0.0.1:6443', caData: base64('authority') });
  expect(config?.getCurrentCluster()?.caFile).toBeUndefined();
  expect(config?.getCurrentUser()).toMatchObject({ certData: base64('pair'), keyData: base64('pair') });
  expect(config?.getCurrentUser()?.certFile).toBeUndefined();
});

it('is undefined on a node that has no such file', () => {
  expect(loadKubeletConfig('/etc/kubernetes/kubelet.conf', readFrom({}))).toBeUndefined();
});

it('is refused if a file that it names is missing', () => {
  const text = user('token: secret');
  expect(() => loadKubeletConfig('/k', readFrom({ '/k': text }))).toThrow('no /etc/kubernetes/pki/ca.crt');
});

it('is refused if its credentials are the output of a program, with the remedy', () => {
  const text = user('exec: { apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never }');
  const files = { '/k': text, '/etc/kubernetes/pki/ca.crt': 'authority' };
  expect(() => loadKubeletConfig('/k', readFrom(files))).toThrow('deploy with --patch-nodes');
});
