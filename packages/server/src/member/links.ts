/** Broken links on request, for members that are breakable. */
import type { Faults, LinkRule } from '../http/index.ts';
import type { Roster } from '../membership/index.ts';
import type { LinkFault, PeerTransport } from '../transport/index.ts';

export function linkFaults(roster: Roster, self: { readonly id: number }, transport: PeerTransport): Faults {
  const inForce = new Map<string, LinkRule>();
  return {
    apply: (rules) => {
      for (const rule of rules) {
        for (const { id, name } of roster.members) {
          if (id === self.id || (rule.peer !== '*' && rule.peer !== name)) continue;
          transport.setLink(id, rule.direction, linkFault(rule));
          for (const direction of rule.direction === 'both' ? ['in', 'out'] : [rule.direction]) {
            if (rule.mode === 'clear') inForce.delete(`${name} ${direction}`);
            else inForce.set(`${name} ${direction}`, rule);
          }
        }
      }
    },
    list: () => [...inForce].map(([link, rule]) => `${link} ${describe(rule)}`),
  };
}

function linkFault(rule: LinkRule): LinkFault {
  switch (rule.mode) {
    case 'clear':
    case 'block':
      return { type: rule.mode };
    case 'delay':
      return { type: 'delay', delayMs: rule.delayMs ?? 0 };
    case 'drop':
      return { type: 'drop', rate: rule.dropRate ?? 0 };
  }
}

function describe(rule: LinkRule): string {
  if (rule.mode === 'delay') return `delay ${rule.delayMs ?? 0} ms`;
  return rule.mode === 'drop' ? `drop ${rule.dropRate ?? 0}` : rule.mode;
}
