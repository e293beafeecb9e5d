import { PassThrough } from 'node:stream';
import { ApiError, type ApiRequest, type Transport } from '../../kubernetes/transport.ts';
import type { Call } from './calls.ts';
import { callOf } from './calls.ts';

/** An API server that has only what it is given, and notes what it is asked. Lists are empty unless given, watches are quiet. */
export function createRecordingTransport(there: Readonly<Record<string, unknown>> = {}): {
  readonly transport: Transport;
  readonly calls: readonly Call[];
} {
  const calls: Call[] = [];
  const transport: Transport = {
    async json(request: ApiRequest) {
      calls.push(callOf(request));
      const [path = ''] = request.path.split('?');
      if (path in there) return there[path];
      if (request.method !== 'GET') return {};
      const { name } = callOf(request);
      if (name !== undefined && !request.path.includes('?')) throw new ApiError(404, request, 'not found');
      return { metadata: { resourceVersion: '1' }, items: [] };
    },
    async stream(request) {
      calls.push(callOf(request));
      const body = new PassThrough();
      request.signal.addEventListener('abort', () => body.destroy(request.signal.reason as Error));
      return body as never;
    },
  };
  return { transport, calls };
}
