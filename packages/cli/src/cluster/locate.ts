import { CommandError, ExitCode } from '../exit-code.ts';
import { type ClusterFile, clientUrl, readClusterFile, readPointer } from './cluster-file.ts';

export interface Whereabouts {
  readonly endpoints?: string;
  readonly data?: string;
}

/** The members a command may talk to; `file` is null when only endpoints are known. */
export interface Located {
  readonly file: ClusterFile | null;
  readonly directory: string | null;
  readonly members: readonly { readonly name: string; readonly url: string; readonly pid: number | null }[];
}

/** --endpoints, else --data, else the environment, else the cluster started last on this machine. */
export function locate(options: Whereabouts, environment: NodeJS.ProcessEnv = process.env): Located {
  const endpoints = options.endpoints ?? (options.data === undefined ? environment['POLDER_ENDPOINTS'] : undefined);
  if (endpoints !== undefined && endpoints !== '') return fromEndpoints(endpoints);
  const directory = options.data ?? environment['POLDER_DATA'] ?? readPointer();
  if (directory === null || directory === '') {
    throw new CommandError(ExitCode.noCluster, 'no cluster was started on this machine; start one with: polder up');
  }
  const file = readClusterFile(directory);
  if (file === null) {
    throw new CommandError(
      ExitCode.noCluster,
      `there is no cluster in ${directory} any more; start one with: polder up, or give --endpoints host:port`,
    );
  }
  return {
    file,
    directory,
    members: file.members.map((member) => ({ name: member.name, url: clientUrl(member), pid: member.pid })),
  };
}

function fromEndpoints(list: string): Located {
  const members = list
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '')
    .map((endpoint) => ({ name: endpoint, url: parseEndpoint(endpoint), pid: null }));
  if (members.length === 0)
    throw new CommandError(ExitCode.unknown, '--endpoints names no endpoint: host:port,host:port');
  return { file: null, directory: null, members };
}

/** host:port or http://host:port, as etcdctl takes them. */
export function parseEndpoint(endpoint: string): string {
  const url = endpoint.includes('://') ? endpoint : `http://${endpoint}`;
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.protocol !== 'http:' || parsed.hostname === '' || parsed.port === '') {
    throw new CommandError(ExitCode.unknown, `"${endpoint}" is not an endpoint: give host:port or http://host:port`);
  }
  return parsed.origin;
}
