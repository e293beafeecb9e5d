import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  createConfiguration,
  type HttpLibrary,
  KubeConfig,
  type RequestContext,
  ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node';

/**
 * A client configuration for a fake API server. By default the client opens a new connection pool, and thus a new connection, for each
 * request if certificates are not verified; there is no TLS here at all.
 */
export function clientConfig({ url, token }: { readonly url: string; readonly token: string }): KubeConfig {
  const config = new FakeServerConfig(token);
  config.loadFromClusterAndUser({ name: 'rekindle', server: url, skipTLSVerify: true }, { name: 'rekindle', token });
  return config;
}

type ApiClass<Api> = new (configuration: ReturnType<typeof createConfiguration>) => Api;

class FakeServerConfig extends KubeConfig {
  readonly #token: string;
  readonly #http = keepAliveHttp();

  constructor(token: string) {
    super();
    this.#token = token;
  }

  /** Watches use `fetch`, which falls back to its own connection pool. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    context.setHeaderParam('Authorization', `Bearer ${this.#token}`);
  }

  override makeApiClient<Api>(api: ApiClass<Api>): Api {
    const baseServer = new ServerConfiguration(this.getCurrentCluster()?.server ?? '', {});
    return new api(createConfiguration({ baseServer, authMethods: { default: this }, httpApi: this.#http }));
  }
}

/** HTTP over kept-alive connections. A request takes a fifth of the time that it takes with `fetch`. */
function keepAliveHttp(): HttpLibrary {
  const agent = new Agent({ keepAlive: true });
  return wrapHttpLibrary({
    send: (context) =>
      new Promise((resolve, reject) => {
        const options = { agent, method: context.getHttpMethod(), headers: context.getHeaders() };
        const sent = request(context.getUrl(), options, (response) => {
          const headers = Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, `${value}`]),
          );
          text(response).then((body) => {
            const responseBody = { text: async () => body, binary: async () => Buffer.from(body), stream: () => null };
            resolve(new ResponseContext(response.statusCode ?? 0, headers, responseBody));
          }, reject);
        });
        sent.on('error', reject);
        sent.end(context.getBody() as string | undefined);
      }),
  });
}
