/** Plain CSS of the demo's page: light and dark, from a phone's width up. */
export const style: string = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f8; --panel: #fff; --text: #191d26; --soft: #667085; --edge: #dfe3ea; --code: #eef1f7;
  --good: #0f7a54; --bad: #c2271d; --accent: #2f5fd0;
  --a: #3b76f0; --b: #d97c06; --c: #0f9d6c; --d: #9a4de0; --e: #d6337f; --f: #0891b2; --g: #6b8e0b;
  --h: #c2410c; --i: #64748b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #10131a; --panel: #191e28; --text: #e8ebf1; --soft: #98a2b5; --edge: #2b3241; --code: #10141d;
    --good: #46c795; --bad: #ff7a6e; --accent: #7ea2ff;
  }
}
* { box-sizing: border-box }
body {
  margin: 0 auto; max-width: 72rem; padding: clamp(.9rem, 3vw, 2.2rem); background: var(--ground);
  color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
header { margin-bottom: 1.2rem }
h1 { font-size: clamp(1.35rem, 4vw, 2rem); line-height: 1.2; letter-spacing: -.02em; margin: 0 0 .3rem }
h2 { font-size: .95rem; margin: 1rem 0 .6rem }
p { margin: 0 } header p, .hint { color: var(--soft) } .hint { font-size: .88rem }
main { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) }
.panel {
  background: var(--panel); border: 1px solid var(--edge); border-radius: 14px; padding: 1rem;
  min-width: 0
}
.panel > h2:first-child { margin-top: 0 }
button {
  font: inherit; color: inherit; background: transparent; border: 1px solid var(--edge); border-radius: 9px;
  padding: .42rem .9rem; cursor: pointer;
}
button:hover:not(:disabled) { border-color: var(--accent) }
button:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
button:disabled { opacity: .5; cursor: progress }
button.main { background: var(--accent); border-color: var(--accent); color: var(--panel); font-weight: 600 }
.switch { display: flex; flex-wrap: wrap; gap: .4rem }
.switch button { flex: 1 1 14rem }
.switch button[aria-checked=true] {
  background: var(--text); border-color: var(--text); color: var(--panel); font-weight: 600
}
pre {
  margin: .8rem 0 .5rem; padding: .75rem .9rem; background: var(--code); border-radius: 9px;
  white-space: pre-wrap
}
code { font: .92rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace }
.nodes { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 10rem), 1fr)) }
.node {
  background: var(--panel); border: 1px solid var(--edge); border-top: 4px solid var(--hue);
  border-radius: 14px; padding: .9rem 1rem
}
.node header { display: flex; align-items: center; gap: .6rem; margin: 0 0 .5rem }
.node b { font-size: 1.3rem } .node .state { font-size: .88rem; color: var(--soft) }
.node .state::before {
  content: ""; display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; margin-right: .4rem;
  background: var(--soft)
}
.node[data-state=ready] .state::before { background: var(--good) }
.node[data-state=killed] .state::before, .node[data-state=died] .state::before { background: var(--bad) }
.node[data-state=starting] .state::before { animation: pulse 1s infinite alternate }
@keyframes pulse { from { opacity: .2 } }
.node:not([data-state=ready]) dl { opacity: .5 }
dl { display: grid; grid-template-columns: auto 1fr; gap: .05rem .8rem; margin: 0 0 .7rem; font-size: .88rem }
dt { color: var(--soft) } dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums }
.node button { width: 100% }
.actions { display: flex; flex-wrap: wrap; gap: .5rem }
.verdict { margin-top: .8rem; font-weight: 600 }
.verdict[data-mood=good] { color: var(--good) }
.verdict[data-mood=bad] { color: var(--bad) }
.clicks {
  list-style: none; display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; padding: 0; min-height: 5.6rem;
  align-content: flex-start
}
.clicks li {
  display: flex; align-items: stretch; border: 1px solid var(--edge); border-radius: 8px; overflow: hidden;
  font-size: .8rem; line-height: 1.25
}
.clicks b { background: var(--hue); color: #fff; padding: .35rem .55rem; display: grid; place-items: center }
.clicks span { padding: .25rem .55rem } .clicks small { display: block; color: var(--soft) }
.clicks li[data-mood=bad] { border-color: var(--bad) } .clicks li[data-mood=bad] em { color: var(--bad) }
.clicks em { font-style: normal; font-weight: 600 }
.shop h2 { display: flex; justify-content: space-between } .shop a { color: var(--accent); font-weight: 400 }
iframe { width: 100%; height: 25rem; border: 1px solid var(--edge); border-radius: 9px; background: Canvas }
@media (prefers-reduced-motion: reduce) { * { animation: none !important } }
@media (min-width: 62rem) {
  main { grid-template-columns: 3fr 2fr; align-items: start }
  .shop { grid-column: 2; grid-row: 1 / span 3 } iframe { height: 38rem }
}
`
