#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Members of one machine load the same code: the first leaves what it compiled for the others.
enableCompileCache();
await import('../dist/main.js');
