import { connect, type Socket } from 'node:net';
import { MAX_FRAME_BYTES, utf8, wrapFrame } from '@polder/core';
import { afterEach, expect, test } from 'vitest';
import { encodeHello, PROTOCOL_VERSION } from './handshake.ts';
import type { TransportLogger } from './logger.ts';
import { PeerTransport, type PeerTransportOptions } from './peer-transport.ts';

interface Received {
  from: number;
  directory: number;
  frame: Uint8Array;
  channel: number;
}

/** A transport whose state a test can wait for: nothing here sleeps. */
class Probe {
  readonly transport: PeerTransport;
  readonly received: Received[] = [];
  readonly warnings: string[] = [];

  constructor(member: number, peers: readonly number[], options: Partial<PeerTransportOptions> = {}) {
    const logger: TransportLogger = {
      debug: () => {},
      info: () => {},
      warn: (_fields, message) => this.warnings.push(message),
    };
    this.transport = new PeerTransport({
      cluster: 'test',
      member,
      directory: member * 100,
      host: '127.0.0.1',
      port: 0,
      about: { name: `m${member}`, clientHost: '127.0.0.1', clientPort: member },
      // Nobody listens on port 1: the real address follows once it is known.
      peers: peers.map((id) => ({ id, host: '127.0.0.1', port: 1 })),
      logger,
      onFrame: (from, directory, frame, channel) => {
        this.received.push({ from, directory, frame, channel });
      },
      ...options,
    });
    open.push(this.transport);
  }

  /** Looks again after every round of the event loop. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  }

  texts(): string[] {
    return this.received.map(({ frame }) => Buffer.from(frame).toString());
  }
}

const at = (id: number, probe: Probe) => ({ id, host: '127.0.0.1', port: probe.transport.port });
const ABOUT = { name: 'm2', peerHost: '127.0.0.1', peerPort: 1, clientHost: '127.0.0.1', clientPort: 2 };

const open: PeerTransport[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((transport) => transport.close()));
});

async function pair(first: Partial<PeerTransportOptions> = {}, second: Partial<PeerTransportOptions> = {}) {
  const one = new Probe(1, [2], first);
  const two = new Probe(2, [1], second);
  await one.transport.listen();
  await two.transport.listen();
  one.transport.setPeers([at(2, two)]);
  two.transport.setPeers([at(1, one)]);
  return { one, two };
}

async function joined(first: Partial<PeerTransportOptions> = {}, second: Partial<PeerTransportOptions> = {}) {
  const { one, two } = await pair(first, second);
  await one.until(() => one.transport.counters.connectionsMade === 1);
  await two.until(() => two.transport.counters.connectionsMade === 1);
  return { one, two };
}

/** What a stranger gets back: all bytes until the member hangs up. */
function stranger(port: number, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    sockets.push(socket);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.write(bytes);
  });
}

const hello = (to: number): Uint8Array =>
  encodeHello({ cluster: 'test', member: 2, directory: 200, to, about: ABOUT, joins: false });

test('frames arrive whole and in order, with their sender, its directory and the channel', async () => {
  const { one, two } = await joined();
  const large = new Uint8Array(MAX_FRAME_BYTES - 1).map((_, i) => i % 251);
  one.transport.send(2, utf8('a'));
  one.transport.send(2, large, 7);
  one.transport.send(2, new Uint8Array(0), 3);
  await two.until(() => two.received.length === 3);
  expect(two.received.map(({ from, directory, channel }) => [from, directory, channel])).toEqual([
    [1, 100, 0],
    [1, 100, 7],
    [1, 100, 3],
  ]);
  expect(Buffer.compare(two.received[1]?.frame ?? new Uint8Array(0), large)).toBe(0);
  expect(one.transport.reachable()).toEqual([2]);
  expect(two.transport.reachable()).toEqual([1]);
});

test('a member of another cluster is refused by name on both sides', async () => {
  const { one, two } = await pair({}, { cluster: 'other' });
  await one.until(() => one.transport.counters.WrongCluster > 0 && one.transport.counters.refusedByPeer > 0);
  expect(one.warnings.join('\n')).toContain('is of cluster "other", this one of "test"');
  expect(one.transport.reachable()).toEqual([]);
  expect(two.received).toEqual([]);
});

test('a member that answers at the wrong address is refused', async () => {
  const one = new Probe(1, [2]);
  const three = new Probe(3, [1]);
  await one.transport.listen();
  await three.transport.listen();
  one.transport.setPeers([at(2, three)]);
  await one.until(() => one.transport.counters.refusedByPeer > 0);
  expect(one.warnings.join('\n')).toContain('looked for member 2 and found 3');
  expect(three.transport.counters.WrongMember).toBeGreaterThan(0);
});

test('R26: a process with another directory never takes the place of the one that is known, and is told why', async () => {
  const { one, two } = await joined({ directoryOf: (member) => (member === 2 ? 200 : 0) });
  await one.until(() => one.transport.reachable().includes(2));
  const impostor = new Probe(2, [], { directory: 999 });
  await impostor.transport.listen();
  impostor.transport.setPeers([at(1, one)]);
  await impostor.until(() => impostor.transport.counters.refusedByPeer > 0);
  expect(impostor.warnings.join('\n')).toContain('came with data directory 999 but is known by 200');
  expect(one.transport.counters.DirectoryMismatch).toBeGreaterThan(0);
  two.transport.send(1, utf8('still here'));
  await one.until(() => one.received.length === 1);
  expect(one.transport.reachable()).toEqual([2]);
});

test('R26: a wiped member whose old self is gone is let in, with its directory, so that the replica can refuse it', async () => {
  const { one, two } = await joined({ directoryOf: (member) => (member === 2 ? 200 : 0) });
  await two.transport.close();
  await one.until(() => one.transport.reachable().length === 0);
  const wiped = new Probe(2, [], { directory: 999 });
  await wiped.transport.listen();
  wiped.transport.setPeers([at(1, one)]);
  await wiped.until(() => wiped.transport.counters.connectionsMade === 1);
  wiped.transport.send(1, utf8('it is me'));
  await one.until(() => one.received.length === 1);
  expect(one.received[0]).toMatchObject({ from: 2, directory: 999 });
});

test('another protocol version is refused, and says so', async () => {
  const one = new Probe(1, [2]);
  await one.transport.listen();
  const bytes = encodeHello(
    { cluster: 'test', member: 2, directory: 200, to: 1, about: ABOUT, joins: false },
    PROTOCOL_VERSION + 1,
  );
  const answer = await stranger(one.transport.port, bytes);
  expect(answer.toString('latin1')).toContain('VersionMismatch');
  expect(one.transport.counters.VersionMismatch).toBe(1);
});

test('garbage is cut off and counted', async () => {
  const one = new Probe(1, [2]);
  await one.transport.listen();
  expect(await stranger(one.transport.port, utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))).toHaveLength(0);
  expect(one.transport.counters.garbage).toBe(1);
  // The right magic, then a frame that is no hello.
  const polite = Buffer.concat([hello(1).subarray(0, 8), wrapFrame(0, utf8('early'))]);
  await stranger(one.transport.port, polite);
  expect(one.transport.counters.garbage).toBe(2);
  // A hello whose inside is not one.
  await stranger(one.transport.port, Buffer.concat([hello(1).subarray(0, 8), wrapFrame(0xff, utf8('\xff\xff'))]));
  expect(one.transport.counters.garbage).toBe(3);
  expect(one.received).toEqual([]);
});

test('a stranger may not claim a large frame, nor a peer one above the limit', async () => {
  const one = new Probe(1, [2]);
  await one.transport.listen();
  const claim = new Uint8Array(8);
  new DataView(claim.buffer).setUint32(0, 1_000_000, true);
  await stranger(one.transport.port, Buffer.concat([hello(1).subarray(0, 8), claim]));
  expect(one.transport.counters.oversize).toBe(1);
  new DataView(claim.buffer).setUint32(0, MAX_FRAME_BYTES + 1, true);
  await stranger(one.transport.port, Buffer.concat([hello(1), claim]));
  expect(one.transport.counters.oversize).toBe(2);
  expect(() => one.transport.send(2, new Uint8Array(MAX_FRAME_BYTES))).toThrow('limit');
});

test('a frame with a wrong checksum ends the connection, and nothing after it is believed', async () => {
  const one = new Probe(1, [2]);
  await one.transport.listen();
  const bad = wrapFrame(0, utf8('bad'));
  bad[bad.length - 1] = (bad[bad.length - 1] as number) ^ 1;
  const bytes = Buffer.concat([hello(1), wrapFrame(0, utf8('good')), bad, wrapFrame(0, utf8('after'))]);
  await stranger(one.transport.port, bytes);
  expect(one.transport.counters.checksum).toBe(1);
  expect(one.texts()).toEqual(['good']);
});

test('a peer that restarts is connected to again', async () => {
  const { one, two } = await joined();
  const port = two.transport.port;
  await two.transport.close();
  await one.until(() => one.transport.counters.connectionsLost === 1);
  expect(one.transport.reachable()).toEqual([]);
  one.transport.send(2, utf8('lost'));
  expect(one.transport.counters.droppedDisconnected).toBe(1);
  const again = new Probe(2, [1], { port });
  await again.transport.listen();
  again.transport.setPeers([at(1, one)]);
  await one.until(() => one.transport.counters.connectionsMade === 2);
  one.transport.send(2, utf8('back'));
  await again.until(() => again.received.length === 1);
  expect(again.texts()).toEqual(['back']);
});

test('a blocked link loses frames both ways until it is cleared', async () => {
  const { one, two } = await joined();
  one.transport.setLink(2, 'both', { type: 'block' });
  expect(one.transport.reachable()).toEqual([]);
  one.transport.send(2, utf8('blocked out'));
  two.transport.send(1, utf8('blocked in'));
  await one.until(() => one.transport.counters.droppedByFault === 2);
  one.transport.setLink(2, 'both', { type: 'clear' });
  one.transport.send(2, utf8('healed out'));
  two.transport.send(1, utf8('healed in'));
  await two.until(() => two.received.length > 0 && one.received.length > 0);
  expect(two.texts()).toEqual(['healed out']);
  expect(one.texts()).toEqual(['healed in']);
});

test('a link blocked one way still carries the other', async () => {
  const { one, two } = await joined();
  one.transport.setLink(2, 'in', { type: 'block' });
  expect(one.transport.faults()).toEqual([{ peer: 2, direction: 'in', fault: { type: 'block' } }]);
  two.transport.send(1, utf8('unheard'));
  one.transport.send(2, utf8('heard'));
  await two.until(() => two.received.length === 1 && one.transport.counters.droppedByFault === 1);
  expect(two.texts()).toEqual(['heard']);
  expect(one.received).toEqual([]);
});

test('a dropping link loses what its rate says, a delaying one is late but loses nothing', async () => {
  let draw = 0;
  const { one, two } = await joined({ random: () => (draw++ % 2 === 0 ? 0.1 : 0.9) });
  one.transport.setLink(2, 'out', { type: 'drop', rate: 0.5 });
  for (let i = 0; i < 10; i++) one.transport.send(2, utf8(`${i}`));
  await two.until(() => two.received.length === 5);
  expect(one.transport.counters.droppedByFault).toBe(5);
  one.transport.setLink(2, 'out', { type: 'delay', delayMs: 20 });
  const before = process.hrtime.bigint();
  one.transport.send(2, utf8('late'));
  await two.until(() => two.received.length === 6);
  expect(Number(process.hrtime.bigint() - before) / 1e6).toBeGreaterThanOrEqual(19);
});

test('a peer that does not read costs bounded memory: frames beyond the queue are dropped and counted', async () => {
  const { one } = await joined({ maxQueueBytes: 1000 });
  for (let i = 0; i < 5; i++) one.transport.send(2, new Uint8Array(400));
  expect(one.transport.counters.framesSent).toBe(2);
  expect(one.transport.counters.droppedQueueFull).toBe(3);
});

test('a port in use is an error that says what to do', async () => {
  const one = new Probe(1, []);
  await one.transport.listen();
  const two = new Probe(2, [], { port: one.transport.port });
  await expect(two.transport.listen()).rejects.toMatchObject({
    code: 'PortInUse',
    message: expect.stringContaining('choose another port'),
  });
});

test('a member that is not known here, of the same cluster, is heard and can be answered where it says it listens', async () => {
  const lagging = new Probe(1, []);
  await lagging.transport.listen();
  const newer = new Probe(7, []);
  await newer.transport.listen();
  newer.transport.setPeers([at(1, lagging)]);
  await newer.until(() => newer.transport.reachable().includes(1));
  newer.transport.send(1, utf8('I lead'));
  await lagging.until(() => lagging.received.length === 1);
  lagging.transport.send(7, utf8('I lag behind'));
  await newer.until(() => newer.received.length === 1);
  expect(newer.texts()).toEqual(['I lag behind']);
  expect(lagging.transport.reachable(), 'who is not known here counts for nothing').toEqual([]);
});

test('a member that is made known after it came keeps its connections', async () => {
  const one = new Probe(1, []);
  const two = new Probe(2, []);
  await one.transport.listen();
  await two.transport.listen();
  two.transport.setPeers([at(1, one)]);
  await two.until(() => two.transport.reachable().includes(1));
  await one.until(() => one.transport.counters.connectionsMade === 1);
  one.transport.setPeers([at(2, two)]);
  expect(one.transport.reachable()).toEqual([2]);
  one.transport.send(2, utf8('welcome'));
  await two.until(() => two.received.length === 1);
  expect(one.transport.counters.connectionsLost + two.transport.counters.connectionsLost).toBe(0);
});

test('a member that is left out can still be told so, and is dialled no more once it is gone', async () => {
  const { one, two } = await joined();
  await one.until(() => one.transport.reachable().includes(2));
  one.transport.setPeers([]);
  expect(one.transport.reachable()).toEqual([]);
  one.transport.send(2, utf8('you are removed'));
  await two.until(() => two.received.length === 1);
  await two.transport.close();
  await one.until(() => one.transport.counters.connectionsLost === 1);
  one.transport.send(2, utf8('nobody'));
  expect(one.transport.counters.droppedDisconnected).toBe(1);
});

test('a member that has moved is found again where it says it listens, without being told of', async () => {
  const { one, two } = await joined();
  await two.transport.close();
  await one.until(() => one.transport.counters.connectionsLost === 1);
  const moved = new Probe(2, []);
  await moved.transport.listen();
  moved.transport.setPeers([at(1, one)]);
  await one.until(() => one.transport.reachable().includes(2));
  one.transport.send(2, utf8('there you are'));
  await moved.until(() => moved.received.length === 1);
});

test('who listens at an address says its number, its directory and its addresses to whoever asks', async () => {
  const { one, two } = await joined();
  const hello = await one.transport.ask({ host: '127.0.0.1', port: two.transport.port }, 5_000);
  expect(hello).toMatchObject({
    member: 2,
    directory: 200,
    joins: false,
    about: { name: 'm2', peerPort: two.transport.port, clientPort: 2 },
  });
  two.transport.send(1, utf8('a question disturbs no connection'));
  await one.until(() => one.received.length === 1);
  expect(one.transport.counters.connectionsLost + two.transport.counters.connectionsLost).toBe(0);
});

test('where nobody listens, or somebody else, the answer is an error by code', async () => {
  const one = new Probe(1, []);
  const other = new Probe(2, [], { cluster: 'other' });
  await one.transport.listen();
  await other.transport.listen();
  const { port } = other.transport;
  await expect(one.transport.ask({ host: '127.0.0.1', port }, 5_000)).rejects.toMatchObject({ code: 'WrongCluster' });
  await other.transport.close();
  await expect(one.transport.ask({ host: '127.0.0.1', port }, 5_000)).rejects.toMatchObject({ code: 'NotReachable' });
});

test('two processes that have the same number do not talk', async () => {
  const one = new Probe(1, []);
  await one.transport.listen();
  const answer = await stranger(
    one.transport.port,
    encodeHello({ cluster: 'test', member: 1, directory: 900, to: 1, about: ABOUT, joins: false }),
  );
  expect(answer.toString('latin1')).toContain('two processes have the same number');
});
