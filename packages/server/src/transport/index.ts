export type { PeerTraffic, TransportCounters } from './counters.ts';
export type { Hello } from './handshake.ts';
export { type LinkDirection, type LinkFault, MAX_DELAY_MS } from './link-faults.ts';
export type { TransportLogger } from './logger.ts';
export { decodeMemberContext, encodeMemberContext, type MemberContext } from './member-context.ts';
export type { Address } from './peer.ts';
export { type PeerAddress, PeerTransport, type PeerTransportOptions } from './peer-transport.ts';
