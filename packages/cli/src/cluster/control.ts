/** Through this, other terminals ask the process of `polder up` to kill, restart, stop and continue its members. */
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import type { ClusterFile } from './cluster-file.ts';

export const MEMBER_ACTIONS = ['fail', 'recover', 'pause', 'resume'] as const;
export type MemberAction = (typeof MEMBER_ACTIONS)[number];

/** What `polder member` needs: a process that waits to be added under a number, and the end of one that has left. */
export type ControlRequest =
  | { readonly type: MemberAction }
  | { readonly type: 'join'; readonly id: number }
  | { readonly type: 'forget' };

export type OnAction = (request: ControlRequest, member: string) => Promise<void>;

/** Loopback only, and only for holders of the token in cluster.json: a web page cannot kill members. */
export class ControlServer {
  readonly #server: Server;
  readonly #token: string;
  readonly #onAction: OnAction;

  constructor(token: string, onAction: OnAction) {
    this.#token = token;
    this.#onAction = onAction;
    this.#server = createServer((request, response) => void this.#onRequest(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const answer = (code: number, text: string): void => {
      response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
    };
    if (!this.#authorized(request)) return answer(403, 'the token of cluster.json is missing or wrong');
    const [, members, name, action, id] = (request.url ?? '').split('/');
    const wanted = parseControl(action, id);
    if (request.method !== 'POST' || members !== 'members' || name === undefined || wanted === null) {
      return answer(404, `POST /members/<name>/<${MEMBER_ACTIONS.join('|')}|join/number|forget>`);
    }
    try {
      await this.#onAction(wanted, decodeURIComponent(name));
      answer(200, 'done');
    } catch (error) {
      answer(409, messageOf(error));
    }
  }

  #authorized(request: IncomingMessage): boolean {
    const given = Buffer.from(request.headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${this.#token}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

function parseControl(action: string | undefined, id: string | undefined): ControlRequest | null {
  if (action === 'join') return /^[1-9]\d{0,14}$/.test(id ?? '') ? { type: 'join', id: Number(id) } : null;
  if (id !== undefined) return null;
  if (action === 'forget') return { type: 'forget' };
  return isMemberAction(action) ? { type: action } : null;
}

function isMemberAction(text: string | undefined): text is MemberAction {
  return (MEMBER_ACTIONS as readonly (string | undefined)[]).includes(text);
}

export async function askControl(
  file: ClusterFile,
  request: MemberAction | ControlRequest,
  member: string,
): Promise<void> {
  const { type, ...rest } = typeof request === 'string' ? { type: request } : request;
  const action = 'id' in rest ? `${type}/${rest.id}` : type;
  let response: Response;
  try {
    response = await fetch(`${file.control.url}/members/${encodeURIComponent(member)}/${action}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${file.control.token}` },
      signal: AbortSignal.timeout(20_000),
    });
  } catch (cause) {
    throw new CommandError(
      ExitCode.noCluster,
      `the "polder up" that owns these members does not answer at ${file.control.url}; start it again with: polder up`,
      { cause },
    );
  }
  const text = (await response.text()).trim();
  if (!response.ok) throw new CommandError(ExitCode.failure, text);
}
