/** How a client reaches an API server and proves who it is. Certificates and keys are PEM. */
export interface ServerAccess {
  /** `https://HOST:PORT`. */
  readonly url: string;
  readonly authority: string;
  readonly user: { readonly token: string } | { readonly key: string; readonly certificate: string };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A kubeconfig in JSON, for `kubectl --kubeconfig` and for the client's `loadFromString`. */
export function kubeConfigText({ url, authority, user }: ServerAccess): string {
  const credentials =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) };
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'rekindle', cluster: { server: url, 'certificate-authority-data': base64(authority) } }],
      users: [{ name: 'rekindle', user: credentials }],
      contexts: [{ name: 'rekindle', context: { cluster: 'rekindle', user: 'rekindle', namespace: 'default' } }],
      'current-context': 'rekindle',
    },
    undefined,
    2,
  );
}
