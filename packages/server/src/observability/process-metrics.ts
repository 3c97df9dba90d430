import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { MetricSource } from './exposition.ts';

/** Of this process: by the names that Prometheus' own clients use. What the system does not tell is left out. */
export const processMetrics: MetricSource = (out) => {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  out.counter('process_cpu_seconds_total', 'CPU time used, in seconds.', (user + system) / 1e6);
  out.gauge('process_resident_memory_bytes', 'Resident memory.', rss);
  out.gauge(
    'process_start_time_seconds',
    'When the process started, in seconds since 1970.',
    performance.timeOrigin / 1_000,
  );
  out.gauge('nodejs_heap_size_used_bytes', 'The part of the JavaScript heap that is in use.', heapUsed);
  out.counter(
    'polder_event_loop_busy_seconds_total',
    'Time in which the event loop had work. Near 1 a second, everything waits.',
    performance.eventLoopUtilization().active / 1_000,
  );
  const used = openFiles();
  if (used !== null) {
    out.gauge('process_open_fds', 'Open file descriptors.', used);
    out.gauge('os_fd_used', 'Open file descriptors.', used);
  }
  const limit = openFilesLimit();
  if (limit !== null) {
    out.gauge('process_max_fds', 'How many file descriptors may be open.', limit);
    out.gauge('os_fd_limit', 'How many file descriptors may be open.', limit);
  }
};

function openFiles(): number | null {
  try {
    return readdirSync('/proc/self/fd').length - 1; // one is the directory's own
  } catch {
    return null;
  }
}

function openFilesLimit(): number | null {
  try {
    const match = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}
