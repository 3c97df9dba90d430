import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

it('D2: a seed gives the same run in a fresh process', () => {
  const module = new URL('./campaign.ts', import.meta.url).href;
  const script = `import { runCampaign } from ${JSON.stringify(module)}; console.log(JSON.stringify(runCampaign(7)));`;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual(runCampaign(7));
});
