import {
  type CausalModel,
  checkCausal,
  checkConvergence,
  checkSequential,
  checkSessions,
  checkTransactions,
  type TransactionModel,
  type VersionedOperation,
} from '@polder/core';
import { describe, expect, test } from 'vitest';
import { ANOMALIES } from '../packages/core/src/checkers/transactions/model.ts';
import { text } from './tree.ts';

interface Example {
  readonly section: string;
  readonly name: string;
  readonly language: string;
  readonly lines: readonly string[];
}

function examples(): Example[] {
  const found: Example[] = [];
  for (const section of text('docs/ANOMALIES.md').split(/^## /m).slice(1)) {
    for (const part of section.split(/^### /m).slice(1)) {
      const block = /```(\w+)( \w+)?\n([^`]*)```/.exec(part);
      for (const name of (part.split('\n')[0] ?? '').split(', ')) {
        const language = (block?.[2] ?? block?.[1] ?? '').trim();
        found.push({
          section: section.split('\n')[0] ?? '',
          name,
          language,
          lines: (block?.[3] ?? '').trim().split('\n'),
        });
      }
    }
  }
  return found;
}

function operationsOf(lines: readonly string[]): VersionedOperation[] {
  return lines.map((line, at) => {
    const match = /^(\d+) (ok|fail|info) (?:(\d+)-(\d+) )?(?:(\w+) (\w+) )?(.+?)(?: version (\d+))?$/.exec(line);
    expect(match, `"${line}" is an operation`).not.toBeNull();
    const [, process, outcome, from, to, f = 'txn', key = '', value = '', version] = match ?? [];
    const operation = {
      process: Number(process),
      f,
      key,
      value: JSON.parse(value) as unknown,
      outcome: outcome as 'ok',
      invokedAt: Number(from ?? 2 * at),
      completedAt: Number(to ?? 2 * at + 1),
    };
    return version === undefined ? operation : { ...operation, version: Number(version) };
  });
}

/** The names of all that the right checker finds. */
function found({ section, name, language }: Example, operations: readonly VersionedOperation[]): string[] {
  switch (section) {
    case 'Transactions': {
      const order = /-(process|realtime)$/.exec(name)?.[1];
      const models: Record<string, TransactionModel> = {
        process: 'strong-session-serializable',
        realtime: 'strict-serializable',
      };
      return Object.keys(checkTransactions(operations, { model: models[order ?? ''] ?? 'serializable' }).anomalies);
    }
    case 'Causal consistency':
      return checkCausal(operations, { model: language as CausalModel }).violations.map(({ pattern }) => pattern);
    case 'Session guarantees':
      return checkSessions(operations).violations.flatMap(({ guarantees }) => guarantees);
    case 'Sequential consistency':
      return checkSequential(operations).violations.map(() => 'not sequential');
    default:
      return checkConvergence(operations).violations.map(() => 'divergence');
  }
}

describe('docs/ANOMALIES.md', () => {
  test('explains every anomaly of transactions', () => {
    const names = examples()
      .filter(({ section }) => section === 'Transactions')
      .map(({ name }) => name);
    expect(names.sort()).toEqual([...ANOMALIES].sort());
  });

  test.each(examples().map((example) => [example.name, example] as const))(
    'the history of %s shows it, and every line is needed',
    (name, example) => {
      expect(found(example, operationsOf(example.lines))).toContain(name);
      for (let left = 0; left < example.lines.length; left++) {
        const fewer = found(
          example,
          operationsOf(example.lines).filter((_, at) => at !== left),
        );
        // Where a write is left out its reads come out of thin air, which is another matter.
        const other = fewer.some((each) => /thin-?air/i.test(each)) && !/thin-?air/i.test(name);
        if (!other) expect(fewer, `without "${example.lines[left]}"`).not.toContain(name);
      }
    },
  );
});
