/** Debian's Chromium without a window, with our own sources in an empty page. It reaches for no network. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { rolldown } from 'rolldown';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const LAUNCH_MS = 20_000;

/** Where it is; null: not on this machine. */
export function chromiumPath(): string | null {
  const path = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
  return existsSync(path) ? path : null;
}

/** A browser of its own, with a fresh profile that goes when it is closed. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: FLAGS, timeout: LAUNCH_MS });
}

/** An empty page in which `entry` and all that it imports has run; `before` runs first, in the page. */
export async function openPage(browser: Browser, entry: URL, before?: () => void): Promise<Page> {
  const page = await browser.newPage();
  if (before !== undefined) await page.evaluate(before);
  await page.addScriptTag({ content: await bundle(entry) });
  return page;
}

/** One classic script, from the sources and never from `dist`. */
async function bundle(entry: URL): Promise<string> {
  const source = fileURLToPath(new URL('../../packages/core/src/simulation/index.ts', import.meta.url));
  const bundler = await rolldown({
    input: fileURLToPath(entry),
    platform: 'browser',
    resolve: { alias: { '@polder/core/simulation': source } },
  });
  try {
    const { output } = await bundler.generate({ format: 'iife' });
    return output[0].code;
  } finally {
    await bundler.close();
  }
}
