/** kubectl sends no credentials over plain HTTP, so the server also accepts the token as a prefix of the path. */
const tokenPrefix = (token: string): string => `/token/${encodeURIComponent(token)}`;

/** A kubeconfig in JSON, for `kubectl --kubeconfig` and for the client's `loadFromString`. */
export function kubeConfigText({ url, token }: { readonly url: string; readonly token: string }): string {
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      // The client refuses plain HTTP without skipTLSVerify.
      clusters: [
        { name: 'rekindle', cluster: { server: `${url}${tokenPrefix(token)}`, 'insecure-skip-tls-verify': true } },
      ],
      users: [{ name: 'rekindle', user: { token } }],
      contexts: [{ name: 'rekindle', context: { cluster: 'rekindle', user: 'rekindle', namespace: 'default' } }],
      'current-context': 'rekindle',
    },
    undefined,
    2,
  );
}
