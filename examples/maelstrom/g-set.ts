#!/usr/bin/env node
/** A grow-only set: each node tells everybody all that it has, now and then; the union of sets needs no order. */
import { Node } from './node.ts';

const INTERVAL_MS = 200;

const node = new Node();
const elements = new Set<unknown>();

node
  .on('init', () => {
    setInterval(() => {
      for (const peer of node.peers) node.send(peer, { type: 'merge', elements: [...elements] });
    }, INTERVAL_MS);
    return {};
  })
  .on('add', ({ element }) => {
    elements.add(element);
    return {};
  })
  .on('merge', (body) => {
    for (const element of body['elements']) elements.add(element);
    return {};
  })
  .on('read', () => ({ value: [...elements] }))
  .run();
