#!/usr/bin/env node
/** Challenge 2: ids that nobody else gives, without asking anybody: the node's own name and a count. */
import { Node } from './node.ts';

const node = new Node();
let count = 0;
node.on('generate', () => ({ id: `${node.id}-${++count}` })).run();
