import { runProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

// A reader that goes away (`polder get ... | head`) is no reason to complain.
process.stdout.on('error', () => process.exit(0));

const exitCode = await runProgram(process.argv.slice(2), processTerminal());
// Idle connections of the HTTP client would otherwise keep the process for seconds.
process.stdout.write('', () => process.exit(exitCode));
