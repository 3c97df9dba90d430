import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { bundle, findChromium, serve } from './browser.ts';
import { fleetSamples, type PageReport } from './resilience-scenario.ts';

const executablePath = findChromium();

test.skipIf(executablePath === null)(
  '@polder/resilience works in a page as it does in Node',
  { timeout: 60_000 },
  async () => {
    const script = await bundle(fileURLToPath(new URL('resilience-scenario.ts', import.meta.url)));
    let asked = 0;
    const { url, server } = await serve(script, (path) => {
      if (path === '/flaky') return ++asked < 3 ? 503 : 200;
      return path === '/hang' ? null : 503;
    });
    const browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(url);
      const report = (await page.evaluate('page.runInPage()')) as PageReport;
      expect(report).toMatchObject({
        retried: { status: 200, attempts: 3 },
        hung: { code: 'TIMEOUT', signalAborted: true },
        open: 'CIRCUIT_OPEN',
        aborted: 'the user left',
        slotTaken: true,
      });
      // The same seed gives the same samples in both engines' processes.
      expect(report.samples === fleetSamples()).toBe(true);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  },
);
