import { Client, credentials, Server, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { csiServices } from '../services.ts';
import { type GrpcServer, listenOn } from '../socket.ts';

type Answers = Readonly<Record<string, object>>;

/** What is claimed for the driver; it answers the calls themselves with an echo. */
const claims: Answers = {
  GetPluginCapabilities: { capabilities: [{ service: { type: 'CONTROLLER_SERVICE' } }] },
  ControllerGetCapabilities: { capabilities: [{ rpc: { type: 'CREATE_DELETE_VOLUME' } }] },
};

/**
 * A socket in front of a driver's, which claims that the driver makes volumes: the suite publishes only what it has created, and the
 * agent does not claim what it does not do. Every other call is passed on as it is.
 */
export async function claimController(driver: string, path: string): Promise<GrpcServer> {
  const server = new Server();
  const client = new Client(driver, credentials.createInsecure());
  for (const service of Object.values(csiServices())) {
    const handlers = Object.entries(service).map(([call, definition]) => {
      const claim = claims[call];
      const handler = ({ request }: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => {
        if (claim !== undefined) return answer(null, claim);
        const { path, requestSerialize, responseDeserialize } = definition;
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
          answer(error, response as object | undefined);
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
