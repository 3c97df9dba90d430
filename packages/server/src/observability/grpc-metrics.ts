import type { Exposition, Labels } from './exposition.ts';
import { CALL_SECONDS, Histogram } from './histogram.ts';

/** By code, as grpc-go names them in etcd's metrics. */
const CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

/** What one method has done. */
export class MethodMetrics {
  readonly type: 'unary' | 'stream';
  readonly seconds = new Histogram(CALL_SECONDS);
  readonly endedByCode = new Float64Array(CODES.length);
  started = 0;
  received = 0;
  sent = 0;
  receivedBytes = 0;
  sentBytes = 0;

  constructor(type: 'unary' | 'stream') {
    this.type = type;
  }

  onReceived(bytes: number): void {
    this.received++;
    this.receivedBytes += bytes;
  }

  onSent(bytes: number): void {
    this.sent++;
    this.sentBytes += bytes;
  }

  onEnded(code: number, seconds: number): void {
    const known = code < CODES.length ? code : 2;
    this.endedByCode[known] = (this.endedByCode[known] as number) + 1;
    this.seconds.observe(seconds);
  }
}

/** Of every method that is served; calls of others are counted together, under no name that a client chose. */
export class GrpcMetrics {
  readonly #methods: ReadonlyMap<string, MethodMetrics>;
  readonly #unknown = new MethodMetrics('unary');

  constructor(methods: ReadonlyMap<string, { readonly type: 'unary' | 'stream' }>) {
    this.#methods = new Map([...methods].map(([path, { type }]) => [path, new MethodMetrics(type)]));
  }

  of(path: string): MethodMetrics {
    return this.#methods.get(path) ?? this.#unknown;
  }

  write(out: Exposition): void {
    const methods = [...this.#methods].map(([path, method]) => ({ labels: labelsOf(path, method), method }));
    const each = (value: (method: MethodMetrics) => number) =>
      methods.map(({ labels, method }) => [labels, value(method)] as const);
    out.counter(
      'grpc_server_started_total',
      'Calls started.',
      each(({ started }) => started),
    );
    out.counter(
      'grpc_server_handled_total',
      'Calls ended, by code.',
      methods.flatMap(({ labels, method }) => endedByCode(labels, method)),
    );
    out.counter(
      'grpc_server_msg_received_total',
      'Messages received.',
      each(({ received }) => received),
    );
    out.counter(
      'grpc_server_msg_sent_total',
      'Messages sent.',
      each(({ sent }) => sent),
    );
    out.histogram(
      'grpc_server_handling_seconds',
      'How long calls took, from their headers to their status.',
      methods.map(({ labels, method }) => [labels, method.seconds] as const),
    );
    const all = [...this.#methods.values(), this.#unknown];
    const sum = (value: (method: MethodMetrics) => number): number =>
      all.reduce((total, method) => total + value(method), 0);
    out.counter(
      'etcd_network_client_grpc_received_bytes_total',
      'Bytes of messages received from clients.',
      sum(({ receivedBytes }) => receivedBytes),
    );
    out.counter(
      'etcd_network_client_grpc_sent_bytes_total',
      'Bytes of messages sent to clients.',
      sum(({ sentBytes }) => sentBytes),
    );
    out.counter('polder_grpc_unknown_calls_total', 'Calls of methods that are not served.', this.#unknown.started);
  }
}

function labelsOf(path: string, { type }: MethodMetrics): Labels {
  const [, service = '', method = ''] = path.split('/');
  return {
    grpc_type: type === 'unary' ? 'unary' : 'bidi_stream',
    grpc_service: service,
    grpc_method: method,
  };
}

/** OK always, so that the series exists; the others once they have happened. */
function endedByCode(labels: Labels, method: MethodMetrics): (readonly [Labels, number])[] {
  return CODES.map((code, i) => [{ ...labels, grpc_code: code }, method.endedByCode[i] as number] as const).filter(
    ([, count], i) => i === 0 || count > 0,
  );
}
