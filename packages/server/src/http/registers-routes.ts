/** The registers as JSON (docs/REGISTERS.md, "Over HTTP"). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PolderError, utf8 } from '@polder/core';
import { LEVELS } from '@polder/core/registers';
import type { Store } from '../etcd/store.ts';
import { RegisterError, type RegistersClient } from '../registers/index.ts';
import { jsonBody, sendJson } from './bodies.ts';

/** By path, the method that it takes. */
export const REGISTERS_PATHS: ReadonlyMap<string, 'GET' | 'POST'> = new Map([
  ['/polder/registers/read', 'POST'],
  ['/polder/registers/write', 'POST'],
  ['/polder/registers/delete', 'POST'],
  ['/polder/registers/range', 'POST'],
  ['/polder/registers/status', 'GET'],
]);

/** A value of 1 MiB in base64, or as a string with its escapes, and a token. */
const MAX_BODY_BYTES = 3 * 1024 * 1024;
const LOOK_ASIDE_MS = 1_000;
/** What the caller has to correct. */
const CALLERS_FAULT = new Set(['InvalidRequest', 'MalformedToken', 'ForeignToken', 'LevelRefused']);

interface Served {
  readonly registers: RegistersClient | null;
  readonly store: Store;
}

export async function serveRegisters(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  { registers, store }: Served,
): Promise<void> {
  try {
    if (registers === null) throw new RegisterError('NotServed', 'notApplied');
    if (path === '/polder/registers/status') return sendJson(response, 200, registers.status());
    const json = await jsonBody(request, response, MAX_BODY_BYTES);
    if (json === null) return;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    sendJson(response, 200, await perform(path, parse(json), gone.signal, registers, store));
  } catch (error) {
    if (!(error instanceof RegisterError)) throw error;
    const { code, outcome, message, reached, tag } = error;
    const status = CALLERS_FAULT.has(code) ? 400 : outcome === 'unknown' ? 504 : 503;
    sendJson(response, status, { error: { code, outcome, message, reached, tag } });
  }
}

type Fields = Readonly<Record<string, unknown>>;

async function perform(
  path: string,
  fields: Fields,
  signal: AbortSignal,
  registers: RegistersClient,
  store: Store,
): Promise<object> {
  // What does not fit together is refused by the replica itself.
  const options = { ...optionsOf(fields), signal } as object;
  if (path.endsWith('/range')) {
    const { entries, token, ...rest } = await registers.range(string(fields, 'prefix'), options);
    const shown = entries.map(({ key, tag, value }) => ({ key, ...valueOf(value), tag }));
    return { ...rest, ...tokenOf(token), entries: shown };
  }
  const key = string(fields, 'key');
  if (path.endsWith('/read')) {
    const { value, token, ...rest } = await registers.read(key, options);
    const isInStore = value === null && (await isKeyOf(store, key));
    return { key, ...valueOf(value), ...rest, ...tokenOf(token), ...(isInStore ? { isInStore } : {}) };
  }
  const writes = path.endsWith('/delete')
    ? registers.delete(key, options)
    : registers.write(key, bytesOf(fields), options);
  const { token, ...rest } = await writes;
  return { key, ...rest, ...tokenOf(token) };
}

/** The other keyspace, as far as it is known here: for the hint that the key may be meant. */
async function isKeyOf(store: Store, key: string): Promise<boolean> {
  const signal = AbortSignal.timeout(LOOK_ASIDE_MS);
  if (key === '') return false;
  try {
    const { result } = await store.read(
      { type: 'range', key: utf8(key), countOnly: true },
      { serializable: true },
      signal,
    );
    return result.type === 'ok' && result.response.type === 'range' && result.response.count > 0;
  } catch (error) {
    if (error instanceof PolderError) return false;
    throw error;
  }
}

function parse(json: string): Fields {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null) return value as Fields;
  } catch {}
  throw invalid('the body is not a JSON object');
}

function optionsOf(fields: Fields): object {
  const { level, degradeTo, timeoutMs, token, tag, limit } = fields;
  for (const each of [level, degradeTo]) {
    if (each !== undefined && !LEVELS.some((known) => known === each)) throw invalid(`a level is ${LEVELS.join(', ')}`);
  }
  if (degradeTo !== undefined && (level !== 'strong' || degradeTo === 'strong')) {
    throw invalid('degradeTo names a lower level, for a request at level strong');
  }
  for (const each of [timeoutMs, limit]) {
    if (each !== undefined && typeof each !== 'number') throw invalid('timeoutMs and limit are numbers');
  }
  for (const each of [token, tag]) {
    if (each !== undefined && typeof each !== 'string')
      throw invalid('token and tag are strings, as an answer had them');
  }
  const given = { level, degradeTo, timeoutMs, tag, limit };
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return typeof token === 'string' ? { ...options, token: new Uint8Array(Buffer.from(token, 'base64')) } : options;
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw invalid(`${name} is a string`);
}

function bytesOf(fields: Fields): Uint8Array {
  const { value, valueBase64 } = fields;
  if (typeof value === 'string') return utf8(value);
  if (typeof valueBase64 === 'string') return new Uint8Array(Buffer.from(valueBase64, 'base64'));
  throw invalid('value is a string; or valueBase64, for bytes');
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function valueOf(value: Uint8Array | null): object {
  if (value === null) return { value };
  try {
    return { value: decoder.decode(value) };
  } catch {
    return { valueBase64: Buffer.from(value).toString('base64') };
  }
}

function tokenOf(token: Uint8Array | null): object {
  return token === null ? {} : { token: Buffer.from(token).toString('base64') };
}

function invalid(message: string): RegisterError {
  return new RegisterError('InvalidRequest', 'notApplied', { message });
}
