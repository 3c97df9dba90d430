#!/usr/bin/env node
/** Challenge 1: say the same again. */
import { Node } from './node.ts';

new Node().on('echo', (body) => ({ echo: body['echo'] })).run();
