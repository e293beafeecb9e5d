import type { IncomingMessage } from 'node:http';
import type { Json } from './api-object.ts';
import { badRequest, tooLarge, unsupportedMediaType } from './status.ts';

const limitBytes = 3 * 1024 * 1024;

export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

/** The body as JSON, or as YAML where the client says so; undefined where there is none. */
export async function readBody(request: IncomingMessage): Promise<Json | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  const text = Buffer.concat(chunks).toString('utf8');
  const type = mediaType(request);
  if (type.includes('protobuf')) throw unsupportedMediaType(type, ['application/json', 'application/yaml']);
  try {
    if (!type.includes('yaml')) return JSON.parse(text) as Json;
    const { parse } = await import('yaml');
    return parse(text) as Json;
  } catch (error) {
    throw badRequest(
      `the body of the request could not be read: ${error instanceof Error ? error.message : 'unknown'}`,
    );
  }
}
