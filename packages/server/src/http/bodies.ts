/** What requests over plain HTTP bring, and how they are answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MAX_BODY_BYTES = 64 * 1024;

/** null: the answer is given. A web page cannot send this type to another site unasked, so no page can break a cluster. */
export async function jsonBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes = MAX_BODY_BYTES,
): Promise<string | null> {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
    request.resume();
    sendJson(response, 415, { error: 'send content-type: application/json' });
    return null;
  }
  const body = await readBody(request, maxBytes);
  if (body === null) sendJson(response, 413, { error: `send at most ${maxBytes} bytes` });
  return body;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function sendJson(response: ServerResponse, code: number, value: unknown): void {
  send(response, code, 'application/json', `${JSON.stringify(value)}\n`);
}

export function send(response: ServerResponse, code: number, type: string, body: string): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
