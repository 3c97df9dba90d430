export { type CallOptions, GrpcClient } from './client.ts';
export { MAX_MESSAGE_BYTES } from './frame.ts';
export { type GrpcMeter, type GrpcMethod, type GrpcMethods, serveGrpcCall } from './server.ts';
export { GrpcCode, GrpcError } from './status.ts';
