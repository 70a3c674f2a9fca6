/** How the console looks; light or dark as the reader's system is. */
export const CONSOLE_STYLE = `
:root {
  --paper: #f4f6f8; --card: #fff; --ink: #16212b; --soft: #5b6b79; --line: #e1e7ec; --hover: #f7fafb;
  --water: #1788a8; --water-soft: #e2f2f6; --leaf: #1f8a5b; --leaf-soft: #e0f3ea;
  --sand: #8f6400; --sand-soft: #faf0d7; --rust: #bb3a2f; --rust-soft: #fbe6e3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0e151b; --card: #161f27; --ink: #e3ebf1; --soft: #92a3b0; --line: #26323c; --hover: #1b262f;
    --water: #4cc0de; --water-soft: #12323c; --leaf: #5bce9c; --leaf-soft: #123426;
    --sand: #e0b354; --sand-soft: #362b12; --rust: #f1897e; --rust-soft: #3d1d1a;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; padding: 14px max(20px, calc((100% - 1200px) / 2)); background: var(--card); border-bottom: 1px solid var(--line); }
.mark { width: 30px; height: 30px; }
.mark path { fill: none; stroke: var(--water); stroke-width: 3.6; stroke-linecap: round; }
h1 { margin: 0; font-size: 20px; letter-spacing: -.01em; }
h2 { margin: 0; font-size: 16px; }
.chip { padding: 1px 8px; border-radius: 99px; background: var(--water-soft); color: var(--water); font-size: 13px; }
.chip:empty { display: none; }
.server { color: var(--soft); font-size: 13px; }
.status { margin-left: auto; padding: 3px 12px; border-radius: 99px; font-size: 13px; background: var(--sand-soft); color: var(--sand); }
.status::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 7px; border-radius: 50%; background: currentColor; }
.status.good { background: var(--leaf-soft); color: var(--leaf); }
.status.bad { background: var(--rust-soft); color: var(--rust); }
main { max-width: 1240px; margin: 0 auto; padding: 20px; }
section { margin-bottom: 28px; }
section > h2 { display: flex; align-items: center; gap: 8px; margin: 0 2px 10px; }
.count { color: var(--soft); font-weight: 400; }
.tiles { display: grid; grid-template-columns: 1fr 1fr 1.6fr 1.6fr 1fr 1fr; gap: 12px; }
.tile, .node, .table { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { position: relative; min-height: 112px; padding: 14px 16px; overflow: hidden; }
.tile h2 { font-size: 13px; font-weight: 500; color: var(--soft); }
.tile p { margin: 2px 0 0; font-size: 26px; font-weight: 600; letter-spacing: -.02em; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile p i { margin-left: 4px; font-size: 14px; font-weight: 400; font-style: normal; letter-spacing: 0; color: var(--soft); }
.tile small { color: var(--soft); font-size: 13px; }
.tile svg { position: absolute; right: 0; bottom: 0; width: 62%; height: 58%; }
.tile .area { fill: var(--water); opacity: .13; }
.tile .line { fill: none; stroke: var(--water); stroke-width: 1.6; vector-effect: non-scaling-stroke; }
.tile.out .area { fill: var(--leaf); }
.tile.out .line { stroke: var(--leaf); }
.nodes { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 12px; }
.node { padding: 14px 16px; }
.node.down { border-color: var(--rust); }
.node h3 { display: flex; align-items: center; gap: 8px; margin: 0 0 4px; font-size: 15px; overflow-wrap: anywhere; }
.node h3 .badge { margin-left: auto; }
.node p { margin: 0; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.node p.problem { color: var(--rust); }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { padding: 10px 12px; text-align: left; font-size: 13px; font-weight: 500; color: var(--soft); white-space: nowrap; }
td { padding: 10px 12px; border-top: 1px solid var(--line); vertical-align: middle; }
th:first-child, td:first-child { padding-left: 16px; }
th:last-child, td:last-child { padding-right: 16px; text-align: right; }
.fact { white-space: nowrap; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tbody tr:hover { background: var(--hover); }
td small { display: block; color: var(--soft); font-size: 13px; }
.name { margin-right: 8px; overflow-wrap: anywhere; font-weight: 600; }
.badge { vertical-align: 1px; }
button.name { padding: 0; border: 0; background: none; color: inherit; font: inherit; font-weight: 600; text-align: left; cursor: pointer; }
button.name:hover { color: var(--water); text-decoration: underline; }
.badge { display: inline-block; padding: 0 8px; border-radius: 99px; font-size: 12px; font-weight: 500; line-height: 20px; white-space: nowrap; background: var(--line); color: var(--soft); }
.badge.good { background: var(--leaf-soft); color: var(--leaf); }
.badge.water { background: var(--water-soft); color: var(--water); }
.badge.wait { background: var(--sand-soft); color: var(--sand); }
.badge.bad { background: var(--rust-soft); color: var(--rust); }
.action { display: inline-block; min-width: 62px; padding: 4px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--ink); font: inherit; font-size: 13px; text-align: center; text-decoration: none; cursor: pointer; }
.action:hover { border-color: var(--water); color: var(--water); }
.action.kick:hover { border-color: var(--rust); color: var(--rust); }
.action.armed { border-color: var(--rust); background: var(--rust); color: var(--card); }
.action.armed:hover { color: var(--card); }
.action:disabled { opacity: .5; cursor: default; }
.filter { padding: 1px 10px; border: 0; border-radius: 99px; background: var(--water-soft); color: var(--water); font: inherit; font-size: 13px; cursor: pointer; }
.filter::after { content: " ×"; }
.empty { margin: 0; padding: 22px 16px; border-top: 1px solid var(--line); color: var(--soft); }
code { font: 13px ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.foot { color: var(--soft); font-size: 13px; }
a { color: var(--water); }
:focus-visible { outline: 2px solid var(--water); outline-offset: 2px; }
.away { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 1000px) {
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tile.wide { grid-column: span 2; }
}
@media (max-width: 760px) {
  main { padding: 14px; }
  header { padding: 12px 16px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .server { order: 1; width: 100%; }
  thead { display: none; }
  tr { display: grid; grid-template-columns: 1fr 1fr; gap: 2px 12px; padding: 12px 14px; border-top: 1px solid var(--line); }
  tbody tr:first-child { border-top: 0; }
  td, td.number, td:first-child, td:last-child { padding: 2px 0; border: 0; text-align: left; }
  td.title { grid-column: 1 / -1; }
  td.last { grid-column: 1 / -1; padding-top: 8px; }
  td.last:empty { display: none; }
  td[data-label]::before { content: attr(data-label); display: block; color: var(--soft); font-size: 12px; }
  .action { width: 100%; padding: 8px; }
  .empty { border-top: 0; }
}
@media (max-width: 380px) {
  .tile.wide { grid-column: 1 / -1; }
}
`;
