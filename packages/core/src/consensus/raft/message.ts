/** Raft's messages, in the words of the paper's Figures 2 and 13, and their bytes. */
import { unreachable } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { PolderError } from '../../base/error.ts';
import { readEntry, readList, readOrigin, writeEntry, writeList, writeOrigin } from '../entry-codec.ts';
import type { Codec, Entry, Origin } from '../replica.ts';

export interface Proposal {
  readonly origin: Origin;
  readonly command: Uint8Array;
}

export type RaftMessage =
  | {
      readonly type: 'requestVote';
      readonly term: number;
      /** Asks whether the peer *would* vote; changes nothing there (dissertation §9.6). */
      readonly preVote: boolean;
      /** The leader itself asked for this election: leader stickiness does not apply (§4.2.3). */
      readonly transfer: boolean;
      readonly lastLogIndex: number;
      readonly lastLogTerm: number;
    }
  | { readonly type: 'voteReply'; readonly term: number; readonly preVote: boolean; readonly granted: boolean }
  | {
      readonly type: 'append';
      readonly term: number;
      readonly previousIndex: number;
      readonly previousTerm: number;
      readonly entries: readonly Entry[];
      readonly commitIndex: number;
      /** Echoed in the reply: a majority of echoes proves leadership after the round began (§6.4). */
      readonly round: number;
    }
  | { readonly type: 'appended'; readonly term: number; readonly round: number; readonly matchIndex: number }
  | {
      readonly type: 'conflict';
      readonly term: number;
      readonly round: number;
      readonly previousIndex: number;
      /** The conflicting entry's term and that term's first index here; term 0: the log ends before `hintIndex`. */
      readonly hintTerm: number;
      readonly hintIndex: number;
    }
  | {
      readonly type: 'snapshotChunk';
      readonly term: number;
      readonly index: number;
      readonly snapshotTerm: number;
      readonly offset: number;
      readonly data: Uint8Array;
      readonly done: boolean;
    }
  | {
      readonly type: 'snapshotReply';
      readonly term: number;
      readonly index: number;
      readonly nextOffset: number;
      readonly installed: boolean;
    }
  | { readonly type: 'readIndex'; readonly boot: number; readonly batch: number }
  | { readonly type: 'readIndexReply'; readonly boot: number; readonly batch: number; readonly index: number }
  | { readonly type: 'forward'; readonly proposals: readonly Proposal[] }
  | { readonly type: 'timeoutNow'; readonly term: number }
  | { readonly type: 'register' }
  /** Both name the directory that they answer: a late one to an earlier directory says nothing about this one. */
  | { readonly type: 'registered'; readonly directory: number }
  | { readonly type: 'refused'; readonly directory: number }
  /** A committed configuration has left the receiver out: it is no member any more, for good. */
  | { readonly type: 'removed' };

/** In the order of their numbers on the wire, behind the sender's directory. */
export const RAFT_MESSAGE_TYPES = [
  'requestVote',
  'voteReply',
  'append',
  'appended',
  'conflict',
  'snapshotChunk',
  'snapshotReply',
  'readIndex',
  'readIndexReply',
  'forward',
  'timeoutNow',
  'register',
  'registered',
  'refused',
  'removed',
] as const satisfies readonly RaftMessage['type'][];

function encode(writer: ByteWriter, message: RaftMessage): void {
  writer.u8(RAFT_MESSAGE_TYPES.indexOf(message.type));
  switch (message.type) {
    case 'requestVote':
      writer.varint(message.term);
      writer.bool(message.preVote);
      writer.bool(message.transfer);
      writer.varint(message.lastLogIndex);
      return writer.varint(message.lastLogTerm);
    case 'voteReply':
      writer.varint(message.term);
      writer.bool(message.preVote);
      return writer.bool(message.granted);
    case 'append':
      writer.varint(message.term);
      writer.varint(message.previousIndex);
      writer.varint(message.previousTerm);
      writer.varint(message.commitIndex);
      writer.varint(message.round);
      return writeList(writer, message.entries, writeEntry);
    case 'appended':
      writer.varint(message.term);
      writer.varint(message.round);
      return writer.varint(message.matchIndex);
    case 'conflict':
      writer.varint(message.term);
      writer.varint(message.round);
      writer.varint(message.previousIndex);
      writer.varint(message.hintTerm);
      return writer.varint(message.hintIndex);
    case 'snapshotChunk':
      writer.varint(message.term);
      writer.varint(message.index);
      writer.varint(message.snapshotTerm);
      writer.varint(message.offset);
      writer.bool(message.done);
      return writer.bytes(message.data);
    case 'snapshotReply':
      writer.varint(message.term);
      writer.varint(message.index);
      writer.varint(message.nextOffset);
      return writer.bool(message.installed);
    case 'readIndex':
      writer.varint(message.boot);
      return writer.varint(message.batch);
    case 'readIndexReply':
      writer.varint(message.boot);
      writer.varint(message.batch);
      return writer.varint(message.index);
    case 'forward':
      return writeList(writer, message.proposals, (to, proposal) => {
        writeOrigin(to, proposal.origin);
        to.bytes(proposal.command);
      });
    case 'timeoutNow':
      return writer.varint(message.term);
    case 'register':
    case 'removed':
      return;
    case 'registered':
    case 'refused':
      return writer.varint(message.directory);
    default:
      return unreachable(message);
  }
}

function decode(reader: ByteReader): RaftMessage {
  const type = RAFT_MESSAGE_TYPES[reader.u8()];
  switch (type) {
    case 'requestVote': {
      const term = reader.varint();
      const preVote = reader.bool();
      const transfer = reader.bool();
      return { type, term, preVote, transfer, lastLogIndex: reader.varint(), lastLogTerm: reader.varint() };
    }
    case 'voteReply':
      return { type, term: reader.varint(), preVote: reader.bool(), granted: reader.bool() };
    case 'append': {
      const term = reader.varint();
      const previousIndex = reader.varint();
      const previousTerm = reader.varint();
      const commitIndex = reader.varint();
      const round = reader.varint();
      const entries = readList(reader, readEntry);
      entries.forEach((entry, i) => {
        if (entry.index !== previousIndex + 1 + i) throw new PolderError('MalformedBytes', 'entries do not follow on');
      });
      return { type, term, previousIndex, previousTerm, commitIndex, round, entries };
    }
    case 'appended':
      return { type, term: reader.varint(), round: reader.varint(), matchIndex: reader.varint() };
    case 'conflict': {
      const term = reader.varint();
      const round = reader.varint();
      const previousIndex = reader.varint();
      return { type, term, round, previousIndex, hintTerm: reader.varint(), hintIndex: reader.varint() };
    }
    case 'snapshotChunk': {
      const term = reader.varint();
      const index = reader.varint();
      const snapshotTerm = reader.varint();
      const offset = reader.varint();
      const done = reader.bool();
      return { type, term, index, snapshotTerm, offset, done, data: reader.bytes() };
    }
    case 'snapshotReply': {
      const term = reader.varint();
      const index = reader.varint();
      return { type, term, index, nextOffset: reader.varint(), installed: reader.bool() };
    }
    case 'readIndex':
      return { type, boot: reader.varint(), batch: reader.varint() };
    case 'readIndexReply':
      return { type, boot: reader.varint(), batch: reader.varint(), index: reader.varint() };
    case 'forward':
      return {
        type,
        proposals: readList(reader, (from) => ({ origin: readOrigin(from), command: from.bytes() })),
      };
    case 'timeoutNow':
      return { type, term: reader.varint() };
    case 'register':
    case 'removed':
      return { type };
    case 'registered':
    case 'refused':
      return { type, directory: reader.varint() };
    case undefined:
      throw new PolderError('MalformedBytes', 'a message of a kind this version does not know');
    default:
      return unreachable(type);
  }
}

export const raftCodec: Codec<RaftMessage> = { encode, decode };
