import { PassThrough } from 'node:stream';
import { type ApiCall, callOf, overheard } from '../../kubernetes/api-call.ts';
import { ApiError, type ApiRequest, type Transport } from '../../kubernetes/transport.ts';

/** An API server that has only what it is given, and notes what it is asked. Lists are empty unless given, watches are quiet. */
export function createRecordingTransport(there: Readonly<Record<string, unknown>> = {}): {
  readonly transport: Transport;
  readonly calls: readonly ApiCall[];
} {
  const calls: ApiCall[] = [];
  const transport: Transport = {
    async json(request: ApiRequest) {
      const [path = ''] = request.path.split('?');
      if (path in there) return there[path];
      if (request.method !== 'GET') return {};
      const { name } = callOf(request);
      if (name !== undefined && !request.path.includes('?')) throw new ApiError(404, request, 'not found');
      return { metadata: { resourceVersion: '1' }, items: [] };
    },
    async stream(request) {
      const body = new PassThrough();
      request.signal.addEventListener('abort', () => body.destroy(request.signal.reason as Error));
      return body as never;
    },
  };
  return { transport: overheard(transport, (call) => void calls.push(call)), calls };
}
