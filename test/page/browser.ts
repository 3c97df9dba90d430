/** What page tests share: Debian's Chromium if it is there, and a bundle of sources served with a few answers. */
import { accessSync, constants } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { build } from 'rolldown';

/** The browser's path, or null; then whoever asked has been told so, loudly. */
export function findChromium(): string | null {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {}
    }
  }
  console.warn('!! SKIPPED: no Chromium on PATH (Debian: apt-get install chromium): what runs in a page is not tested');
  return null;
}

/** Bundles a module of this repository so that its exports are on `window.page`. */
export async function bundle(entry: string): Promise<string> {
  const { output } = await build({
    input: entry,
    write: false,
    logLevel: 'silent',
    output: { format: 'iife', name: 'page' },
  });
  return output[0].code;
}

/** Serves an empty page with the script, and for each other path what `answer` says; null never answers. */
export async function serve(
  script: string,
  answer: (path: string) => number | null,
): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/' || path === '/favicon.ico') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><script src="/page.js"></script>');
    } else if (path === '/page.js') {
      response.setHeader('content-type', 'text/javascript').end(script);
    } else {
      const status = answer(path);
      if (status !== null) response.writeHead(status).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
