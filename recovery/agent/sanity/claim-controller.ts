import { Client, credentials, Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { loadCsiServices } from '../../csi/definitions.ts';
import { type GrpcServer, listenOn } from '../../csi/socket.ts';

/** Responses by method that claim capabilities for the driver. It answers the calls themselves with an echo. */
const claims: Readonly<Record<string, object>> = {
  GetPluginCapabilities: { capabilities: [{ service: { type: 'CONTROLLER_SERVICE' } }] },
  ControllerGetCapabilities: { capabilities: [{ rpc: { type: 'CREATE_DELETE_VOLUME' } }] },
};

/**
 * Proxies a driver's socket and claims that the driver creates volumes. The suite publishes only volumes that it has created, and
 * the agent does not claim this capability. All other calls are passed on unchanged.
 */
export async function claimController(driver: string, path: string): Promise<GrpcServer> {
  const server = new Server();
  const client = new Client(driver, credentials.createInsecure());
  for (const service of Object.values(loadCsiServices())) {
    const handlers = Object.entries(service).map(([call, definition]) => {
      const claim = claims[call];
      const handler = ({ request }: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) => {
        if (claim !== undefined) return reply(null, claim);
        const { path, requestSerialize, responseDeserialize } = definition;
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
          reply(error, response as object | undefined);
        });
      };
      return [call, handler];
    });
    server.addService(service, Object.fromEntries(handlers));
  }
  const listening = await listenOn(server, path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      client.close();
      await listening[Symbol.asyncDispose]();
    },
  };
}
