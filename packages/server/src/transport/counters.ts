/** What the transport has seen; every refusal and every lost frame is in one of these. */
export interface TransportCounters {
  framesSent: number;
  framesReceived: number;
  bytesSent: number;
  bytesReceived: number;
  /** No connection at that moment. */
  droppedDisconnected: number;
  /** The peer reads more slowly than we write. */
  droppedQueueFull: number;
  /** By a fault set with `setLink`. */
  droppedByFault: number;
  connectionsMade: number;
  connectionsLost: number;
  connectionsFailed: number;
  /** Not Polder's magic, or frames where none belong. */
  garbage: number;
  oversize: number;
  checksum: number;
  handshakeTimeouts: number;
  tooManyStrangers: number;
  WrongCluster: number;
  WrongMember: number;
  DirectoryMismatch: number;
  VersionMismatch: number;
  /** The other side refused us. */
  refusedByPeer: number;
}

/** Of one peer. */
export interface PeerTraffic {
  readonly peer: number;
  /** As far as this side knows, in both directions. */
  readonly reachable: boolean;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Frames dropped because it was away or too slow. */
  readonly sendFailures: number;
}

export function newCounters(): TransportCounters {
  return {
    framesSent: 0,
    framesReceived: 0,
    bytesSent: 0,
    bytesReceived: 0,
    droppedDisconnected: 0,
    droppedQueueFull: 0,
    droppedByFault: 0,
    connectionsMade: 0,
    connectionsLost: 0,
    connectionsFailed: 0,
    garbage: 0,
    oversize: 0,
    checksum: 0,
    handshakeTimeouts: 0,
    tooManyStrangers: 0,
    WrongCluster: 0,
    WrongMember: 0,
    DirectoryMismatch: 0,
    VersionMismatch: 0,
    refusedByPeer: 0,
  };
}
