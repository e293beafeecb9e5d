import { Agent, type RequestOptions, request } from 'node:https';
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
 * A client configuration from a kubeconfig, as text, for many requests to one server. By default the client opens a new connection pool,
 * and thus a new connection, for each request.
 */
export function clientConfig(kubeConfig: string): KubeConfig {
  const config = new ReusingConfig();
  config.loadFromString(kubeConfig);
  return config;
}

type ApiClass<Api> = new (configuration: ReturnType<typeof createConfiguration>) => Api;

class ReusingConfig extends KubeConfig {
  readonly #http = keepAliveHttp(this);
  #dispatcher: ReturnType<RequestContext['getDispatcher']>;

  /** Watches use `fetch` with this pool. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    this.#dispatcher ??= context.getDispatcher();
    if (this.#dispatcher) context.setDispatcher(this.#dispatcher);
  }

  override makeApiClient<Api>(api: ApiClass<Api>): Api {
    const baseServer = new ServerConfiguration(this.getCurrentCluster()?.server ?? '', {});
    return new api(createConfiguration({ baseServer, authMethods: { default: this }, httpApi: this.#http }));
  }
}

/** HTTPS over kept-alive connections. A request takes a fifth of the time that it takes with `fetch`. */
function keepAliveHttp(config: KubeConfig): HttpLibrary {
  let agent: Promise<Agent> | undefined;
  const connect = async (): Promise<Agent> => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key } = options;
    return new Agent({ keepAlive: true, ca, cert, key });
  };
  return wrapHttpLibrary({
    async send(context) {
      agent ??= connect();
      const options = { agent: await agent, method: context.getHttpMethod(), headers: context.getHeaders() };
      const { promise, resolve, reject } = Promise.withResolvers<ResponseContext>();
      const sent = request(context.getUrl(), options, (response) => {
        const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, `${value}`]));
        text(response).then((body) => {
          const responseBody = { text: async () => body, binary: async () => Buffer.from(body), stream: () => null };
          resolve(new ResponseContext(response.statusCode ?? 0, headers, responseBody));
        }, reject);
      });
      sent.on('error', reject);
      sent.end(context.getBody() as string | undefined);
      return promise;
    },
  });
}
