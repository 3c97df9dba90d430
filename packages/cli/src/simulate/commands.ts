/** The simulator's commands and their flags. */
import { type Command, Option } from 'commander';
import type { ExitCode } from '../exit-code.ts';
import { integer } from '../integer-flag.ts';
import type { Terminal } from '../terminal.ts';
import { duration } from './duration.ts';
import { type HuntFlags, hunt } from './hunt/hunt.ts';
import { interruptible } from './interruption.ts';
import { type ReplayFlags, replay } from './replay/replay.ts';
import { BUILT_INS } from './scenarios.ts';
import { type SimFlags, sim } from './sim/sim.ts';
import { type ZooFlags, zoo } from './zoo/zoo.ts';

const MAX_SEED = 1_000_000_000_000;
const MAX_SEEDS = 1_000_000_000;
const MAX_THREADS = 256;
const MAX_SIMULATED_MEMBERS = 31;

export function addSimulate(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  program
    .command('sim')
    .description('one simulated run, narrated: faults, elections, and the members every 5 simulated seconds')
    .option('--members <n>', 'how many', integer(1, MAX_SIMULATED_MEMBERS), 5)
    .option('--for <duration>', 'how long things break, in simulated time', duration, 30_000)
    .option('--seed <n>', 'the same seed, the same run (default: a random one)', integer(0, MAX_SEED))
    .addOption(new Option('--protocol <name>', 'what runs (default: raft)').choices(BUILT_INS))
    .option('--json', 'one line of JSON for each event')
    .action(async (flags: SimFlags) => {
      setExit(await interruptible((signal) => sim(flags, terminal, signal)));
    });
  addHunt(program, terminal, setExit);
  addReplay(program, terminal, setExit);
  program
    .command('zoo')
    .description('switch on every known mistake, one by one: is it caught, and how soon?')
    .option('--bug <id>', 'only this one')
    .option('--seeds <n>', 'tried for each at most', integer(1, MAX_SEEDS), 1_000)
    .option('--starts <n>', 'try so many times with other seeds, and give the median', integer(1, 1_000), 1)
    .option('--threads <n>', 'worker threads (default: one for each core)', integer(1, MAX_THREADS))
    .option('--json', 'for programs')
    .addHelpText('after', '\nExit code 1 when one is not caught from every start.')
    .action(async (flags: ZooFlags) => {
      setExit(await interruptible((signal) => zoo(flags, terminal, signal)));
    });
}

function addHunt(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  scenarioFlags(
    program
      .command('hunt')
      .description('run many seeds on every core; make what breaks small, explain it, and save it to be replayed'),
  )
    .addOption(new Option('--protocol <name>', 'the scenario that Polder brings (default: raft)').choices(BUILT_INS))
    .option('--seeds <n>', 'how many', integer(1, MAX_SEEDS))
    .option('--for <duration>', 'how long, in real time; with --seeds, whichever ends first', duration)
    .option('--from <n>', 'the first seed', integer(0, MAX_SEED), 1)
    .option('--threads <n>', 'worker threads (default: one for each core)', integer(1, MAX_THREADS))
    .option('--out <dir>', 'where traces of violations are written', 'polder-traces')
    .option('--keep-going', 'beyond the first violation')
    .option('--resume <file>', 'keep in this file what is done, and leave out what it says was done before')
    .option('--json', 'one object at the end, for programs')
    .addHelpText(
      'after',
      '\nExit code 0 when nothing is found; 1 for a violation, and when at least 100 seeds ran and something that the\n' +
        'scenario wants to see was never seen; 2 when it could not be run. Ctrl-C ends it with a summary.',
    )
    .action(async (flags: HuntFlags) => {
      setExit(await interruptible((signal) => hunt(flags, terminal, signal)));
    });
}

function addReplay(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  scenarioFlags(program.command('replay <trace>').description('play a saved trace: does it still break what it broke?'))
    .option('--shrink', 'take away what the violation does not need')
    .option('--out <file>', 'where the smaller trace is written (default: beside the trace)')
    .option('--json', 'for programs')
    .addHelpText('after', '\nExit code 1 when a rule is broken, 0 when none is, 2 for a trace that cannot be played.')
    .action(async (path: string, flags: ReplayFlags) => {
      setExit(await interruptible((signal) => replay(path, flags, terminal, signal)));
    });
}

function scenarioFlags(command: Command): Command {
  return command
    .option('--scenario <file>', 'a module of your own (.ts or .js) that exports a scenario')
    .option('--export <name>', 'which export of it (default: default)');
}
