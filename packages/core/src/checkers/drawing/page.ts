/** The frame of a drawn page: one file, nothing fetched, readable by light and by dark, usable by keyboard. */

/** For text and for attribute values in double or single quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const STYLE = `
:root { color-scheme: light dark; --page: #fbfbf9; --card: #fff; --ink: #1c2430; --soft: #5d6876; --line: #dde1e6; --grid: #eef0f2;
  --read: #d9e8fb; --read-edge: #3573c4; --write: #d8f0e1; --write-edge: #2b8a57; --other: #ebe2fa; --other-edge: #7a52c2;
  --bad: #d3263a; --bad-fill: #fde1e3; --down: #6b7280; --paused: #b7791f; --cut: #8b5cf6; --weather: #2f7f9e; --leads: #d9a514; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #191f27; --ink: #e7ebf0; --soft: #98a4b3; --line: #2d3642; --grid: #222a34;
  --read: #1d3454; --read-edge: #74aaf0; --write: #18402b; --write-edge: #5fc48d; --other: #34275a; --other-edge: #b095ee;
  --bad: #ff6b78; --bad-fill: #55202a; --down: #9aa3af; --paused: #e0a84a; --cut: #a78bfa; --weather: #5fb4d3; --leads: #f0c243; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px 32px 48px; max-width: 1500px; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, 'Helvetica Neue', 'DejaVu Sans', sans-serif; }
h1 { margin: 0; font-size: 24px; letter-spacing: -0.01em; }
h2 { margin: 28px 0 8px; font-size: 16px; }
.soft { margin: 2px 0 0; color: var(--soft); }
.verdict { margin: 16px 0; padding: 12px 16px; border-left: 4px solid var(--bad); border-radius: 0 8px 8px 0; background: var(--bad-fill); }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 20px; margin: 16px 0 10px; color: var(--soft); font-size: 13px; }
.bar i { display: inline-block; width: 18px; height: 12px; margin-right: 6px; border: 1.5px solid; border-radius: 4px; vertical-align: -1px; }
button { font: inherit; color: inherit; cursor: pointer; }
#jump { padding: 5px 14px; border: 1px solid var(--bad); border-radius: 999px; background: var(--bad-fill); color: var(--ink); }
.card { display: flex; overflow: hidden; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.card > div { overflow-x: auto; flex: 1; min-width: 0; }
svg { display: block; }
svg text { fill: var(--ink); font: 12px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.names { flex: none; border-right: 1px solid var(--line); }
.names text, .time text { fill: var(--soft); }
.names .group { font-size: 10px; letter-spacing: 0.08em; }
.lane { stroke: var(--line); } .rule { stroke: var(--grid); }
.mark { cursor: default; outline: none; }
.mark rect { stroke-width: 1.5; }
.read rect { fill: var(--read); stroke: var(--read-edge); } .write rect { fill: var(--write); stroke: var(--write-edge); } .other rect { fill: var(--other); stroke: var(--other-edge); }
i.read { background: var(--read); border-color: var(--read-edge); } i.write { background: var(--write); border-color: var(--write-edge); } i.other { background: var(--other); border-color: var(--other-edge); }
.fail rect, i.fail { fill: none; background: none; stroke: var(--soft); border-color: var(--soft); } .fail text { fill: var(--soft); text-decoration: line-through; }
.info rect, i.info { stroke-dasharray: 4 3; border-style: dashed; fill-opacity: 0.45; } .tail { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 2 5; }
i.info { border-color: var(--soft); }
.bad rect { fill: var(--bad-fill); stroke: var(--bad); stroke-width: 2.5; } .guide { stroke: var(--bad); stroke-dasharray: 3 4; opacity: 0.7; }
.order circle { fill: var(--ink); } .order text { fill: var(--card); font-size: 9px; font-weight: 700; text-anchor: middle; }
.span rect { fill: color-mix(in srgb, currentColor 16%, var(--card)); stroke: currentColor; stroke-width: 1; }
.span text { paint-order: stroke; stroke: color-mix(in srgb, currentColor 16%, var(--card)); stroke-width: 4; stroke-linejoin: round; } .span circle { fill: currentColor; }
.span circle + text { stroke: var(--card); }
.down { color: var(--down); } .paused { color: var(--paused); } .partitioned { color: var(--cut); } .network, .clock, .disk, .other-fault { color: var(--weather); } .leads { color: var(--leads); }
.span .hatch { fill: url(#hatch); fill-opacity: 0.4; stroke: none; }
.mark:hover rect:first-of-type { stroke-width: 2.5; } .mark:focus-visible rect:first-of-type, .mark:focus-visible circle { stroke: var(--ink); stroke-width: 3; }
#detail { min-height: 3em; margin: 10px 2px; color: var(--soft); }
ol { margin: 0; padding-left: 3em; columns: 17em; } li::marker { color: var(--soft); }
li button { padding: 1px 4px; border: 0; border-radius: 4px; background: none; text-align: left; font: 13px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; } li button:hover { background: var(--grid); }
.mark:focus-visible { outline: none; }
:focus-visible:not(.mark) { outline: 2px solid var(--read-edge); outline-offset: 2px; }
pre { overflow-x: auto; padding: 16px; border: 1px solid var(--line); border-radius: 12px; background: var(--card); font: 12.5px/1.35 ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
summary { margin-top: 24px; cursor: pointer; }
`;

/** One mark is in the order of the tab key; arrows go from mark to mark in order of time. */
const SCRIPT = `
const marks = [...document.querySelectorAll('.mark')];
const detail = document.getElementById('detail');
const show = (mark) => { detail.textContent = mark.querySelector('title').textContent; };
const go = (mark) => {
  if (!mark) return;
  for (const each of marks) each.tabIndex = each === mark ? 0 : -1;
  mark.focus({ preventScroll: true });
  mark.scrollIntoView({ block: 'nearest', inline: 'center' });
};
for (const [i, mark] of marks.entries()) {
  mark.addEventListener('pointerenter', () => show(mark));
  mark.addEventListener('focus', () => show(mark));
  mark.addEventListener('click', () => go(mark));
  mark.addEventListener('keydown', (event) => {
    const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: marks.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(marks[to]);
  });
}
for (const button of document.querySelectorAll('[data-go]')) {
  button.addEventListener('click', () => go(document.getElementById(button.dataset.go)));
}
`;

/** `body` is markup already; `title` is text. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body}
<script>${SCRIPT}</script>
</body>
</html>
`;
}
