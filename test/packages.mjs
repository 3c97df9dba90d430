// Packs core, resilience, server and cli as npm would publish them, installs them into an empty project, and there compiles
// against their types, runs them, and starts the command: node test/packages.mjs <node package | this>
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const nodePackage = process.argv[2] ?? 'this';
const compilers = ['typescript@7.0.2', '@types/node@24.19.2'];
const limitMs = 240_000;

/** Core asks for nothing: no types of Node, no DOM. */
const coreTypes = `
import * as core from '@polder/core';
import { checkLinearizable, parseHistory, type HistoryEvent, type Verdict } from '@polder/core/checkers';
import { VectorClock, type Causality } from '@polder/core/clocks';
import { KvStateMachine, encodeKvRequest, type KvRequest } from '@polder/core/kv';
import * as simulation from '@polder/core/simulation';

const request: KvRequest = { type: 'compact', revision: 1, physical: false };
export const bytes: Uint8Array = encodeKvRequest(request);
export const order: Causality = VectorClock.empty.compare(VectorClock.empty);
export const revision: number = new KvStateMachine().revision();
export const verdict: Verdict = checkLinearizable(parseHistory('') satisfies HistoryEvent[]);
// @ts-expect-error: the types are really there, not \`any\`
export const wrong: string = new KvStateMachine().revision();
export { core, simulation };
`;

const serverTypes = `
import { startMember, type Member, type MemberConfig } from '@polder/server';

export const start: (config: MemberConfig) => Promise<Member> = startMember;
export const alone: Promise<Member> = startMember();
// @ts-expect-error: a directory is named by a string
export const wrong = startMember({ dataDirectory: 7 });
`;

/** Resilience asks for AbortSignal, which Node's types and the DOM's both have; `using` needs the disposables. */
const resilienceTypes = `
import { breaker, bulkhead, fallback, isResilienceError, pipeline, retry, timeout, type Outcome } from '@polder/resilience';
import { BreakerCore } from '@polder/resilience/cores';
import { simulateFleet } from '@polder/resilience/fleet';
import { prometheusText } from '@polder/resilience/prometheus';
import { VirtualPlatform } from '@polder/resilience/testing';

const users = pipeline('users', timeout('5s'), fallback(() => null), retry(), breaker({ failureRate: 0.5 }), bulkhead(50));
export const value: Promise<Response | null> = users.run((context) => fetch('http://x', { signal: context.signal }));
export const outcome: Promise<Outcome<number | null>> = users.tryRun(() => 1, { signal: new AbortController().signal });
export function hold() {
  using slot = users.tryAcquire();
  return slot.ok;
}
// @ts-expect-error: the types are really there, not \`any\`
export const wrong: Promise<string> = users.run(() => 1);
// @ts-expect-error: a breaker that never opens
breaker({});
export { BreakerCore, isResilienceError, prometheusText, simulateFleet, VirtualPlatform };
`;

const runResilience = `
import { breaker, bulkhead, pipeline, retry, timeout } from '@polder/resilience';
import { simulateContention } from '@polder/resilience/fleet';
import { VirtualPlatform } from '@polder/resilience/testing';

const users = pipeline('users', timeout('1s'), retry({ baseDelay: 1 }), breaker({ consecutiveFailures: 9 }), bulkhead(5));
let calls = 0;
const value = await users.run(() => { if (++calls < 3) throw new Error('not yet'); return calls; });
if (value !== 3) throw new Error('retry is wrong here');
const hung = await timeout(20).tryRun(() => new Promise(() => {}));
if (hung.ok || hung.error.code !== 'TIMEOUT') throw new Error('the time-out did not end a call that hangs');
if (simulateContention(10, 'full', 1).calls < 10) throw new Error('the simulation is wrong here');
if (new VirtualPlatform().now() !== 0) throw new Error('virtual time does not begin at 0');
console.log('resilience runs on', process.version);
`;

const run = `
import * as core from '@polder/core';
import { checkLinearizable, parseHistory } from '@polder/core/checkers';
import { VectorClock } from '@polder/core/clocks';
import { KvStateMachine } from '@polder/core/kv';
import * as simulation from '@polder/core/simulation';
import { startMember } from '@polder/server';

const event = (index, type, f, value, process) => JSON.stringify({ index, process, type, f, key: 'k', value, time: index });
const history = (read) => [event(0, 'invoke', 'write', 1, 0), event(1, 'ok', 'write', 1, 0),
  event(2, 'invoke', 'read', null, 1), event(3, 'ok', 'read', read, 1)].join('\\n');
const verdict = (read) => checkLinearizable(parseHistory(history(read))).result;
if (verdict(1) !== 'valid' || verdict(null) !== 'invalid') throw new Error('the checker is wrong here');
if (VectorClock.empty.tick('a').compare(VectorClock.empty) !== 'after') throw new Error('the clock is wrong here');
if (new KvStateMachine().keyCount() !== 0) throw new Error('a new state machine has keys');
if (Object.keys(core).length === 0 || Object.keys(simulation).length === 0) throw new Error('empty exports');
const addresses = { name: 'solo', id: 1, peerHost: '127.0.0.1', peerPort: 0, clientHost: '127.0.0.1', clientPort: 0 };
const member = await startMember({ name: 'solo', cluster: 'packed', members: [addresses], dataDirectory: 'solo.data',
  breakable: false, logLevel: 'silent' });
const ready = async () => (await fetch(member.clientUrl + '/readyz')).status === 200;
for (let left = 100; !(await ready()); left--) {
  if (left === 0) throw new Error('a cluster of one did not get ready');
  await new Promise((resolve) => setTimeout(resolve, 100));
}
await member.close();
console.log('runs on', process.version);
`;

function execute(command, parameters, options) {
  return execFileSync(command, parameters, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMs,
    ...options,
  });
}

const project = mkdtempSync(join(tmpdir(), 'polder-packages-'));
try {
  const tarballs = join(project, 'tarballs');
  mkdirSync(tarballs);
  for (const name of ['core', 'resilience', 'server', 'cli']) {
    execute('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', tarballs], {
      cwd: join(root, 'packages', name),
    });
  }
  const files = readdirSync(tarballs).map((name) => join(tarballs, name));

  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  execute('npm', ['install', '--silent', '--no-fund', '--no-audit', ...files, ...compilers], { cwd: project });
  let node = process.execPath;
  if (nodePackage !== 'this') {
    const other = join(project, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'package.json'), JSON.stringify({ name: 'node', private: true }));
    execute('npm', ['install', '--silent', '--no-fund', '--no-audit', nodePackage], { cwd: other });
    node = join(other, 'node_modules', nodePackage.replace(/@[^@]*$/, ''), 'bin', 'node');
  }
  const inside = { cwd: project, env: { ...process.env, PATH: dirname(node) + delimiter + (process.env.PATH ?? '') } };

  const compiler = join(project, 'node_modules', 'typescript', 'bin', 'tsc');
  const options = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true };
  for (const [name, source, types, ...libs] of [
    ['core', coreTypes, []],
    ['resilience', resilienceTypes, ['node'], 'esnext.disposable'],
    ['resilience-dom', resilienceTypes, [], 'esnext.disposable', 'dom'],
    ['server', serverTypes, ['node']],
  ]) {
    writeFileSync(join(project, `${name}.ts`), source);
    const compilerOptions = { ...options, lib: ['es2023', ...libs], types };
    writeFileSync(join(project, `tsconfig.${name}.json`), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
    execute(node, [compiler, '-p', `tsconfig.${name}.json`], { ...inside, stdio: ['ignore', 'inherit', 'inherit'] });
  }
  console.log('types: ok');

  for (const [name, source] of [
    ['run-resilience.mjs', runResilience],
    ['run.mjs', run],
  ]) {
    writeFileSync(join(project, name), source);
    process.stdout.write(execute(node, [name], inside));
  }

  const help = execute(node, [join(project, 'node_modules', 'polder', 'bin', 'polder.js'), '--help'], inside);
  if (!help.includes('polder')) throw new Error('polder --help says nothing');
  console.log('polder --help: ok');
} finally {
  rmSync(project, { recursive: true, force: true });
}
