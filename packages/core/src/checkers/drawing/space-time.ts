/** Messages between members and what became of the members, to be drawn: Lamport's picture of a run. */
export type MemberState = 'follower' | 'candidate' | 'leader' | 'down' | 'paused';

export interface DrawnMessage {
  readonly from: number;
  readonly to: number;
  readonly sentUs: number;
  /** Not before `sentUs`; null: it was lost. */
  readonly receivedUs: number | null;
  /** For a person, and short: `append 4, term 2`. */
  readonly label: string;
}

export interface MemberChange {
  readonly member: number;
  readonly atUs: number;
  /** What its lane looks like from here on; every lane begins as a follower's. */
  readonly state: MemberState;
  readonly label: string;
}

export interface SpaceTimeDrawing {
  /** From left to right. */
  readonly members: readonly number[];
  readonly messages: readonly DrawnMessage[];
  readonly changes: readonly MemberChange[];
  /** Of arrivals, losses and changes the last so many are drawn, and the others counted. */
  readonly maxMoments?: number;
}

/** What has a line of its own. A message has it where it arrives, or where it was sent if it is lost. */
export type Moment =
  | { readonly type: 'arrival' | 'loss'; readonly atUs: number; readonly message: DrawnMessage }
  | { readonly type: 'change'; readonly atUs: number; readonly change: MemberChange };

export interface SpaceTime {
  readonly moments: readonly Moment[];
  readonly leftOut: number;
  /** Each member's state before the first moment that is drawn. */
  readonly states: ReadonlyMap<number, MemberState>;
}

/** What arrives at a moment causes what changes at it, and that causes what is sent. */
const ORDER = { arrival: 0, change: 1, loss: 2 } as const;

export function arrangeSpaceTime(drawing: SpaceTimeDrawing, most: number): SpaceTime {
  const ofMessage = (message: DrawnMessage): Moment =>
    message.receivedUs === null
      ? { type: 'loss', atUs: message.sentUs, message }
      : { type: 'arrival', atUs: message.receivedUs, message };
  const all: Moment[] = [
    ...drawing.messages.map(ofMessage),
    ...drawing.changes.map((change): Moment => ({ type: 'change', atUs: change.atUs, change })),
  ];
  all.sort((a, b) => a.atUs - b.atUs || ORDER[a.type] - ORDER[b.type]);
  const leftOut = Math.max(0, all.length - most);
  const states = new Map<number, MemberState>(drawing.members.map((member) => [member, 'follower']));
  for (const moment of all.slice(0, leftOut)) {
    if (moment.type === 'change') states.set(moment.change.member, moment.change.state);
  }
  return { moments: all.slice(leftOut), leftOut, states };
}
