/** What the players' page adds to the console's style. */
export const PLAYERS_STYLE = `
.players { display: grid; grid-template-columns: minmax(0, 1fr) 320px; gap: 20px; align-items: start; }
.players section { margin: 0; }
.screen { position: relative; aspect-ratio: 16 / 9; border-radius: 12px; overflow: hidden; background: #05080b; }
.screen video { display: block; width: 100%; height: 100%; object-fit: contain; }
.notice { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 14px; padding: 20px; text-align: center; color: #e3ebf1; background: #05080bcc; }
.notice p { margin: 0; max-width: 46ch; }
.notice p.more { font-size: 13px; opacity: .8; }
.notice p.more:empty { display: none; }
.notice button { pointer-events: auto; }
.hint { position: absolute; left: 12px; top: 12px; max-width: calc(100% - 24px); margin: 0; padding: 4px 12px; border-radius: 99px; background: #05080bcc; color: #e0b354; font-size: 13px; }
.primary { padding: 8px 20px; border: 0; border-radius: 99px; background: var(--water); color: var(--card); font: inherit; font-weight: 600; cursor: pointer; }
.primary:hover { filter: brightness(1.1); }
.unmute { position: absolute; right: 12px; top: 12px; box-shadow: 0 2px 10px #0006; }
.spinner { width: 34px; height: 34px; border: 3px solid #ffffff33; border-top-color: #4cc0de; border-radius: 50%; animation: turn 1s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .spinner { animation-duration: 4s; } }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin: 14px 2px; }
.bar .action { width: auto; padding: 4px 12px; }
.bar h2 { margin-right: auto; overflow-wrap: anywhere; font-size: 18px; }
.choice { display: inline-flex; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; background: var(--card); }
.choice label { position: relative; padding: 4px 12px; font-size: 13px; color: var(--soft); cursor: pointer; }
.choice label + label { border-left: 1px solid var(--line); }
.choice input { position: absolute; inset: 0; opacity: 0; cursor: pointer; }
.choice label:has(:checked) { background: var(--water-soft); color: var(--water); font-weight: 500; }
.choice label:has(:focus-visible) { outline: 2px solid var(--water); outline-offset: -2px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 12px; margin: 0; }
.facts div { padding: 10px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.facts dt { font-size: 13px; color: var(--soft); }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts small { display: block; font-weight: 400; font-size: 13px; color: var(--soft); }
.address { margin: 14px 2px 0; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.list { background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.list > h2 { display: flex; gap: 8px; padding: 12px 16px; }
.list .empty { padding: 14px 16px; font-size: 14px; }
.stream { display: block; width: 100%; padding: 10px 16px; border: 0; border-top: 1px solid var(--line); background: none; color: inherit; font: inherit; text-align: left; cursor: pointer; }
.stream:hover { background: var(--hover); }
.stream[aria-current="true"] { background: var(--water-soft); box-shadow: inset 3px 0 var(--water); }
.stream b { margin-right: 8px; font-weight: 600; overflow-wrap: anywhere; }
.stream small { display: block; color: var(--soft); font-size: 13px; }
.open { display: flex; gap: 8px; padding: 12px 16px; border-top: 1px solid var(--line); }
.open input { flex: 1; min-width: 0; padding: 6px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: inherit; font: inherit; font-size: 14px; }
.open .action { width: auto; padding: 4px 12px; }
@media (max-width: 900px) {
  .players { grid-template-columns: minmax(0, 1fr); gap: 16px; }
}
@media (max-width: 560px) {
  main.players { padding: 0 0 20px; }
  .screen { border-radius: 0; }
  .bar, .facts, .address, .list { margin-left: 14px; margin-right: 14px; }
  .facts { grid-template-columns: 1fr 1fr; }
}
`;
