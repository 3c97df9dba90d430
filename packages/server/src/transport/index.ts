export type { PeerTraffic, TransportCounters } from './counters.ts';
export { type LinkDirection, type LinkFault, MAX_DELAY_MS } from './link-faults.ts';
export type { TransportLogger } from './logger.ts';
export { type PeerAddress, PeerTransport, type PeerTransportOptions } from './peer-transport.ts';
