#!/usr/bin/env node
/**
 * Challenge 4: a counter over seq-kv, growing (g-counter) or not (pn-counter). Each node has a key of its own for what was
 * added there, so no two ever write the same key. seq-kv may show a reader the past for as long as it likes; so a
 * reader asks the other nodes for their part, and looks into seq-kv only for those that it cannot reach.
 */
import { KeyValue, Node } from './node.ts';

const PEER_MS = 300;

const node = new Node();
const store = new KeyValue(node, 'seq-kv');
let own = 0;
let written: Promise<void> = Promise.resolve();

async function partOf(peer: string): Promise<number> {
  try {
    return (await node.rpc(peer, { type: 'part' }, PEER_MS))['value'] as number;
  } catch {
    return store.read(`added at ${peer}`, 0);
  }
}

node
  .on('add', async ({ delta }) => {
    own += delta;
    // One write after the other: an older sum must not overtake a newer one.
    written = written.then(() => store.write(`added at ${node.id}`, own));
    await written;
    return {};
  })
  .on('part', () => ({ value: own }))
  .on('read', async () => {
    const parts = await Promise.all(node.peers.map(partOf));
    return { value: parts.reduce((sum, part) => sum + part, own) };
  })
  .run();
