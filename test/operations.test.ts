/** docs/OPERATIONS.md and the alert rules against a real member: what they name exists, and what exists they name. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMember } from '@polder/server';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../packages/server/src/testing/free-ports.test-support.ts';
import { root, text, walk } from './tree.ts';

const NAME = /\b(?:etcd|polder|grpc|process|os|nodejs)_[a-z_]+[a-z]\b/g;

let served: Set<string>;

beforeAll(async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'polder-operations-'));
  const [peerPort, clientPort] = [await freePort(), await freePort()];
  const self = { name: 'm1', id: 1, peerHost: '127.0.0.1', peerPort, clientHost: '127.0.0.1', clientPort };
  const member = await startMember({
    name: 'm1',
    cluster: 'test',
    members: [self],
    dataDirectory,
    breakable: false,
    logLevel: 'silent',
  });
  const metrics = await (await fetch(`${member.clientUrl}/metrics`)).text();
  await member.close();
  await rm(dataDirectory, { recursive: true });
  served = new Set([...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
});

const tables = (heading: string): string => {
  const guide = text('docs/OPERATIONS.md');
  const start = guide.indexOf(heading);
  expect(start).toBeGreaterThan(0);
  return guide.slice(start + heading.length);
};

describe('docs/OPERATIONS.md', () => {
  test('has a line for every metric that a member serves, and for no other', () => {
    const [table = ''] = tables('## Metrics').split('**Absent**');
    const documented = [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name = '']) => name);
    expect(documented.toSorted()).toEqual([...served].toSorted());
  });

  test('lists as absent nothing that is served', () => {
    const [absent = ''] = tables('**Absent**').split('## Alerts');
    expect([...absent.matchAll(/^\| `(etcd_[a-z_]+)`/gm)].filter(([, name = '']) => served.has(name))).toEqual([]);
  });

  test('names every alert of the rules', async () => {
    const rules = await readFile(join(root, 'examples/operations/alerts.yml'), 'utf8');
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
    expect(alerts.length).toBeGreaterThan(0);
    const [table = ''] = tables('## Alerts').split('## The slow-request log');
    expect(alerts.filter((alert) => !table.includes(`\`${alert}\``))).toEqual([]);
  });

  test('says what every code means with which a member stops or refuses to start', () => {
    const codes = new Set<string>();
    const parts =
      /^packages\/(core\/src\/(log|driver|consensus)|server\/src\/(disk|storage|transport\/peer-transport|http\/listener|embedding\/options|member\/member))/;
    for (const path of walk().filter((each) => parts.test(each) && each.endsWith('.ts') && !each.includes('.test.'))) {
      for (const [, code = ''] of text(path).matchAll(/(?:PolderError\(\s*|code: )'([A-Z][A-Za-z]+)'/g))
        codes.add(code);
    }
    const ofRequests = ['MalformedBytes', 'Stopped', 'InvalidChange', 'EIO', 'NotReachable'];
    const guide = tables('## When a member stops by itself');
    expect(codes.size).toBeGreaterThan(10);
    expect([...codes].filter((code) => !ofRequests.includes(code) && !guide.includes(`| \`${code}\` |`))).toEqual([]);
  });
});

describe('the alert rules', () => {
  test('read series that a member serves', async () => {
    const rules = await readFile(join(root, 'examples/operations/alerts.yml'), 'utf8');
    const read = new Set([...rules.matchAll(NAME)].map(([name]) => name.replace(/_bucket$/, '')));
    expect(read.size).toBeGreaterThan(8);
    expect([...read].filter((name) => !served.has(name))).toEqual([]);
  });
});
