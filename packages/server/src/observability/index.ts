export { type Exposition, formatMetrics, type MetricSource } from './exposition.ts';
export { GrpcMetrics, type MethodMetrics } from './grpc-metrics.ts';
export { writeStoreMetrics } from './store-metrics.ts';
export { MemberTelemetry } from './telemetry.ts';
export { withCallerContext } from './tracing.ts';
