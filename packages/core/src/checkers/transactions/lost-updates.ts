import type { Update } from './dependencies.ts';
import type { Findings } from './findings.ts';
import type { Transaction } from './model.ts';
import { INITIAL, type Interned } from './parse.ts';
import { alone, elementShown, keyShown, nameOf } from './words.ts';

/** Two committed transactions that read the same version of a key and both wrote it: one acted on what was gone. */
export function findLostUpdates(updates: readonly Update[], interned: Interned, findings: Findings): void {
  const rivals = new Map<string, { update: Update; transactions: Transaction[] }>();
  for (const update of updates) {
    const { transaction, key, version } = update;
    const name = version === INITIAL ? `key ${key}` : `element ${version}`;
    const known = rivals.get(name);
    if (known === undefined) rivals.set(name, { update, transactions: [transaction] });
    else known.transactions.push(transaction);
  }
  for (const { update, transactions } of rivals.values()) {
    if (transactions.length < 2) continue;
    findings.add('lost-update', () => {
      const who = transactions.slice(0, 2).map(nameOf).join(' and ');
      const others = transactions.length > 2 ? ` and ${transactions.length - 2} more` : '';
      const what = `${keyShown(interned, update.key)} when its newest value was ${elementShown(interned, update.version)}`;
      return alone(
        transactions,
        `${who}${others} all read ${what}, and all wrote it: all but one of them lost an update.`,
      );
    });
  }
}
