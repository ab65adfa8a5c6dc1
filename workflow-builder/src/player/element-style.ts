/* Look of the <overwatch-view> element; custom properties let a page tune it. */
export const ELEMENT_STYLE = `
:host {
  --ow-ground: #000;
  --ow-text: #e8ecf1;
  --ow-dim: #a3adba;
  --ow-connected: #3ccb8a;
  --ow-connecting: #f2b63d;
  --ow-error: #ff6b6b;
  --ow-disconnected: #7b8694;
  display: block;
  position: relative;
  overflow: hidden;
  background: var(--ow-ground);
  color: var(--ow-text);
  font: 13px/1.45 Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  aspect-ratio: 16 / 9;
  contain: layout paint;
}
:host([hidden]) { display: none; }
video, canvas { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
canvas { visibility: hidden; background: var(--ow-ground); }
.stage[data-surface='canvas'] canvas { visibility: visible; }
.stage[data-stale='true'] :is(video, canvas) { opacity: .35; }
canvas.overlay { visibility: visible; background: none; pointer-events: none; }
.card {
  position: absolute; padding: 6px 9px; border-radius: 6px; background: rgb(8 18 28 / .88); color: var(--ow-text);
  font-size: 12px; line-height: 1.5; white-space: pre; pointer-events: none; font-variant-numeric: tabular-nums;
}
.card::first-line { font-weight: 600; }
.card[hidden] { display: none; }
.badge {
  position: absolute; top: 8px; left: 8px; max-width: calc(100% - 16px); box-sizing: border-box; padding: 3px 9px; border-radius: 6px;
  background: rgb(8 18 28 / .88); color: var(--ow-text); font-size: 12px; pointer-events: none; font-variant-numeric: tabular-nums;
}
.badge b { color: var(--ow-connecting); font-weight: 600; }
.badge[hidden] { display: none; }
.notice {
  position: absolute; inset: 0; display: grid; place-content: center; justify-items: center;
  gap: 6px; padding: 16px; text-align: center; pointer-events: none;
}
.notice[hidden] { display: none; }
.notice .title { font-weight: 600; font-size: 14px; display: flex; align-items: center; gap: 8px; }
.notice .why { color: var(--ow-dim); max-width: 46ch; text-wrap: balance; }
.steps { display: flex; flex-wrap: wrap; justify-content: center; gap: 4px 14px; margin: 10px 0 0; padding: 0; list-style: none; font-size: 12px; }
.steps[hidden] { display: none; }
.steps li { display: flex; align-items: center; gap: 6px; color: var(--ow-dim); opacity: .55; }
.steps li::before { content: ''; width: 12px; text-align: center; font-weight: 700; line-height: 1; }
.steps li[data-step='waiting']::before { content: '·'; }
.steps li[data-step='done'] { opacity: 1; }
.steps li[data-step='done']::before { content: '✓'; color: var(--ow-connected); }
.steps li[data-step='running'] { opacity: 1; color: var(--ow-text); }
.steps li[data-step='running']::before {
  width: 8px; height: 8px; margin: 0 2px; box-sizing: border-box; border-radius: 50%;
  border: 1.5px solid var(--ow-connecting); border-right-color: transparent; animation: turn .9s linear infinite;
}
.steps li[data-step='failed'] { opacity: 1; color: var(--ow-error); }
.steps li[data-step='failed']::before { content: '✗'; }
@keyframes turn { to { transform: rotate(1turn); } }
.dot { width: 9px; height: 9px; border-radius: 50%; background: var(--ow-disconnected); flex: none; }
[data-state='connected'] .dot { background: var(--ow-connected); }
[data-state='connecting'] .dot { background: var(--ow-connecting); animation: pulse 1.2s ease-in-out infinite; }
[data-state='error'] .dot { background: var(--ow-error); }
@keyframes pulse { 50% { opacity: .35; } }
@media (prefers-reduced-motion: reduce) { .dot, .steps li::before { animation: none !important; } }
.bar {
  position: absolute; inset: auto 0 0 0; display: none; align-items: center; gap: 10px;
  padding: 22px 10px 8px; font-size: 12px; font-variant-numeric: tabular-nums;
  background: linear-gradient(transparent, rgb(0 0 0 / .72));
}
:host([controls]) .bar { display: flex; }
:host([muted-ui]) :is(.bar, .notice) { display: none; }
.bar .figures { color: var(--ow-dim); margin-right: auto; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
button {
  display: grid; place-items: center; width: 28px; height: 28px; padding: 0; border: 0; border-radius: 6px;
  background: transparent; color: inherit; cursor: pointer;
}
button[hidden] { display: none; }
button[aria-pressed='true'] { background: rgb(255 255 255 / .2); }
button:hover { background: rgb(255 255 255 / .14); }
button:focus-visible { outline: 2px solid #58c4e8; outline-offset: -2px; }
svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
`;
