#!/usr/bin/env node
/** A linearizable store by handing every request on to a service: `-- seq-kv` shows what the checker says of another. */
import { Node } from './node.ts';

const node = new Node();
const service = process.argv[2] ?? 'lin-kv';

for (const type of ['read', 'write', 'cas']) node.on(type, (body) => node.rpc(service, body));
node.run();
