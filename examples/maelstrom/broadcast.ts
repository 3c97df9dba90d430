#!/usr/bin/env node
/**
 * Challenge 3, a to e: everyone learns every message, also after a partition, with few messages between nodes.
 * Whoever gets a message from a client tells everybody itself: one hop, so the delay is one latency, and each node hears
 * each message once. What came within one interval travels together. A peer that does not confirm is told again,
 * everything that it has not confirmed; hearing twice does no harm.
 */
import { Node } from './node.ts';

/** Longer means fewer messages and later ones: 500 for challenge 3e. */
const INTERVAL_MS = Number(process.argv[2] ?? 200);
const CONFIRM_MS = 1_000;

const node = new Node();
const seen = new Set<unknown>();
/** By peer: what it has not confirmed. */
const owed = new Map<string, Set<unknown>>();
const asking = new Set<string>();

async function tell(peer: string, messages: Set<unknown>): Promise<void> {
  const batch = [...messages];
  asking.add(peer);
  try {
    await node.rpc(peer, { type: 'share', messages: batch }, CONFIRM_MS);
    for (const message of batch) messages.delete(message);
  } catch {
    // It stays owed, and goes out again with the next interval.
  } finally {
    asking.delete(peer);
  }
}

node
  .on('init', () => {
    for (const peer of node.peers) owed.set(peer, new Set());
    setInterval(() => {
      for (const [peer, messages] of owed) if (messages.size > 0 && !asking.has(peer)) void tell(peer, messages);
    }, INTERVAL_MS);
    return {};
  })
  .on('topology', () => ({}))
  .on('broadcast', ({ message }) => {
    if (!seen.has(message)) for (const messages of owed.values()) messages.add(message);
    seen.add(message);
    return {};
  })
  .on('share', ({ messages }) => {
    for (const message of messages) seen.add(message);
    return {};
  })
  .on('read', () => ({ messages: [...seen] }))
  .run();
