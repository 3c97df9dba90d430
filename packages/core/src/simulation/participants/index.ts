export type { Message, Participant, ParticipantsOptions, Self, States } from './participant.ts';
export type { ParticipantStatus } from './process.ts';
export { type ParticipantTypes, participants } from './protocol.ts';
