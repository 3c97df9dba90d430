import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Located } from '../cluster/locate.ts';
import { fetchStatus, isLeader } from '../cluster/member-http.ts';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { inspectSnapshot } from './inspect.ts';

/** Written under another name, synced, checked, and only then named: a file of that name is a whole backup. */
export async function saveSnapshot(
  located: Located,
  file: string,
  member: string | undefined,
  terminal: Terminal,
): Promise<void> {
  const { name, url } = await source(located, member);
  const part = `${file}.${randomBytes(4).toString('hex')}.part`;
  try {
    const sha256 = await download(`${url}/polder/snapshot`, part);
    const { revision, keys, fileBytes } = await inspectSnapshot(part);
    await rename(part, file);
    await syncDirectory(dirname(file));
    terminal.progress(`${file}: ${keys} keys at revision ${revision}, ${fileBytes} bytes, from ${name}`);
    terminal.data(sha256);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(ExitCode.failure, `no backup was made from ${name}: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(part, { force: true });
  }
}

async function source({ members }: Located, name: string | undefined): Promise<{ name: string; url: string }> {
  if (name !== undefined) {
    const member = members.find((each) => each.name === name);
    if (member !== undefined) return member;
    const names = members.map((each) => each.name).join(', ');
    throw new CommandError(ExitCode.unknown, `there is no member "${name}"; there are ${names}`);
  }
  const statuses = await Promise.all(members.map(({ url }) => fetchStatus(url)));
  const leader = members.find((_, i) => isLeader(statuses[i] ?? null));
  if (leader !== undefined) return leader;
  const text = 'no member that leads answers: name one by --member, whose data may be behind';
  throw new CommandError(ExitCode.noCluster, text);
}

async function download(url: string, part: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new CommandError(ExitCode.failure, `${url} answers ${response.status}: ${(await response.text()).trim()}`);
  }
  const hash = createHash('sha256');
  const handle = await open(part, 'wx', 0o600);
  try {
    for await (const bytes of response.body as AsyncIterable<Uint8Array>) {
      hash.update(bytes);
      await handle.writeFile(bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return `${hash.digest('hex')}`;
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path === '' ? '.' : path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
