/**
 * The style sheet of the report. The palette is that of Okabe and Ito, which people of all kinds of colour
 * vision tell apart, lightened for the dark theme; lines differ in their dashes as well.
 */

import type { Colour } from './names.js'

const LIGHT = `
  color-scheme: light;
  --ground: #f7f8fa; --card: #fff; --ink: #16202c; --soft: #566373; --edge: #dfe4ea; --grid: #e9edf1;
  --hover: #f0f3f7;
  --blue: #0069b4; --sky: #3ba3d8; --green: #008a63; --orange: #cc5200; --amber: #b97a00; --purple: #a8508a;
  --grey: #77828f;
  --good: #00734f; --bad: #b3261e; --warn: #8a5a00; --warn-ground: #fff5dc; --accent: #0069b4;`

const DARK = `
  color-scheme: dark;
  --ground: #0e141b; --card: #161e28; --ink: #e8edf3; --soft: #9aa8b8; --edge: #2a3542; --grid: #222c38;
  --hover: #1d2733;
  --blue: #5ab0f2; --sky: #a3dbff; --green: #35c99b; --orange: #ff8a4c; --amber: #f3b93f; --purple: #e39acb;
  --grey: #93a0ae;
  --good: #4fd6a6; --bad: #ff8a80; --warn: #f3b93f; --warn-ground: #2e2613; --accent: #5ab0f2;`

const COLOURS: readonly Colour[] = ['blue', 'sky', 'green', 'orange', 'amber', 'purple', 'grey']

export const STYLE = `
:root {${LIGHT} }
@media (prefers-color-scheme: dark) { :root:not([data-theme]) {${DARK} } }
:root[data-theme=dark] {${DARK} }

* { box-sizing: border-box }
html { scroll-behavior: smooth; scroll-padding-top: 3.5rem; -webkit-text-size-adjust: 100% }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, sans-serif; font-variant-numeric: tabular-nums }
main, .top { max-width: 1380px; margin: 0 auto; padding: 0 1.25rem }
a { color: var(--accent) }
code { font: .9em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.1rem 0 .2rem; letter-spacing: -.02em }
h2 { font-size: 1.3rem; margin: 0 0 .35rem; letter-spacing: -.01em }
h3 { font-size: .98rem; margin: 0 0 .6rem; line-height: 1.35 }
p { margin: 0 0 .7rem }
.skip { position: absolute; left: -99rem }
.skip:focus { left: 1rem; top: .5rem; z-index: 9; background: var(--card); padding: .4rem .8rem }

.bar { position: sticky; top: 0; z-index: 5; background: var(--ground); border-bottom: 1px solid var(--edge) }
.top { display: flex; align-items: center; gap: 1rem; min-height: 3rem }
.top nav { display: flex; gap: 1.1rem; overflow-x: auto; flex: 1; white-space: nowrap; scrollbar-width: none;
  mask-image: linear-gradient(90deg, #000 calc(100% - 2rem), transparent) }
.top nav a { color: var(--soft); text-decoration: none; font-size: .88rem; padding: .3rem 0 }
.top nav a:hover { color: var(--ink) }
.theme { font: inherit; font-size: .85rem; color: var(--ink); background: var(--card); border: 1px solid var(--edge);
  border-radius: 999px; padding: .25rem .8rem; cursor: pointer; white-space: nowrap }
.theme:hover { background: var(--hover) }

.where { color: var(--soft); font-size: .88rem; margin: 0 }
.warnings { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; margin: .7rem 0 0; padding: .45rem .9rem;
  list-style: none; background: var(--warn-ground); color: var(--warn);
  border-radius: 8px; font-size: .9rem; font-weight: 550 }
.warnings a { color: inherit }

.answers { display: grid; grid-template-columns: repeat(5, 1fr); gap: .8rem; margin: .8rem 0 1.3rem }
.answer { background: var(--card); border: 1px solid var(--edge); border-radius: 12px;
  padding: .8rem .9rem }
.answer h3 { margin: 0; color: var(--soft); font-weight: 500; font-size: .9rem; min-height: 2.7em }
.choice { display: block; margin: .25rem 0 .5rem; font-size: .86rem; font-weight: 650 }
.choice code { color: var(--accent) }
.facts { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: .25rem .6rem; font-size: .84rem;
  line-height: 1.4 }
.facts dt { font-weight: 650; text-align: right }
.facts dd { margin: 0; color: var(--soft) }
.facts .fact { display: contents } .facts .whole { grid-column: 1 / -1 } .facts .whole dd { color: var(--ink) }
.run { margin: .7rem 0 0; font-size: .82rem; color: var(--soft) }

.goals { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 1rem 1.1rem;
  margin: 0 0 2.4rem }
.tally { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; align-items: baseline; margin: 0 0 .6rem }
.tally b { font-size: 1.35rem; letter-spacing: -.02em }
.share { display: block; width: 100%; height: 8px; border-radius: 4px; margin-bottom: .7rem }
.met { color: var(--good) } .missed { color: var(--bad) } .unknown, .held { color: var(--soft) }
.share .met { fill: var(--good) } .share .missed { fill: var(--bad) } .share .unknown { fill: var(--edge) }
.share .held { fill: var(--grey) }

.misses { margin: 0; padding-left: 1.1rem; font-size: .88rem; color: var(--soft); columns: 2; column-gap: 2rem }
.misses li { break-inside: avoid; margin-bottom: .15rem } .misses b { color: var(--ink); font-weight: 600 }

section { margin: 0 0 2.6rem }
.lead { color: var(--soft); max-width: 78ch }
.setup { margin: 0 0 1rem; padding-left: 1.1rem; max-width: 90ch } .setup li { margin-bottom: .3rem }
.finding { font-weight: 600; max-width: 78ch }
.plots { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .9rem }
.plots > :last-child:nth-child(odd), .plots > .wide { grid-column: 1 / -1 }
figure { margin: 0; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 1rem 1.1rem;
  min-width: 0 }
.canvas { min-height: 300px }
.empty { border: 1px dashed var(--edge); border-radius: 12px; padding: 1.1rem; color: var(--soft); margin: 0 }
details { margin-top: .7rem }
summary { cursor: pointer; color: var(--soft); font-size: .87rem; width: max-content; max-width: 100% }
summary:hover { color: var(--ink) }
.scroll { overflow-x: auto; margin-top: .5rem }
table { border-collapse: collapse; font-size: .86rem; width: 100% }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; font-size: .82rem }
th, td { text-align: left; padding: .38rem .9rem .38rem 0; border-bottom: 1px solid var(--grid); vertical-align: top }
th { font-weight: 600; color: var(--soft); white-space: nowrap; vertical-align: bottom }
tbody th { color: var(--ink); font-weight: 500; white-space: normal; min-width: 11rem; vertical-align: top }
tbody tr:hover { background: var(--hover) }
.mark { display: inline-block; font-size: .72rem; font-weight: 650; line-height: 1.3; border: 1px solid currentcolor;
  border-radius: 4px; padding: 0 .35em; margin-left: .35em; color: var(--warn); white-space: nowrap }
.mark.wrong, .mark.void { color: var(--bad) } .mark.simulated, .mark.computed { color: var(--soft) }
.note { color: var(--soft); font-size: .82rem; display: block }
.notes { color: var(--soft); font-size: .8rem; margin: .6rem 0 0; padding-left: 1.5rem }
sup { color: var(--soft); font-size: .7rem; font-weight: 500; margin-left: .25em; line-height: 0 }
td.none { color: var(--soft) }
.tabular { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 36rem), 1fr)); gap: .9rem;
  grid-auto-flow: dense; margin-top: .9rem }
.tabular figure { padding-top: .5rem } .tabular figure:has(th:nth-child(5)) { grid-column: 1 / -1 }
.figure { white-space: nowrap }
#choice .lead, #choice .finding { max-width: none }
  #choice .finding { font-size: .9rem; margin: .5rem 0 0; font-weight: 500 }
#ways table { table-layout: fixed; min-width: 44rem } #ways th:first-child { width: 31% }

.bars .groups { display: grid; grid-template-columns: 1fr 1fr; gap: .3rem 2.2rem; align-items: start }
.bars table { table-layout: fixed }
.bars col.label { width: 48% } .bars col.length { width: 30% }
  .bars tbody th { padding-right: .7rem; font-size: .82rem } .bars td { border: 0 } .bars tbody th { border: 0 }
.bars th, .bars td { padding-top: .16rem; padding-bottom: .16rem; vertical-align: middle }
.bars .group th { padding-top: .8rem; font-weight: 600; color: var(--soft) }
.bars svg { display: block; width: 100%; height: 1.1rem }

.heat td { text-align: center; border: 2px solid var(--card); padding: .35rem .2rem; color: #fff; font-size: .76rem;
  line-height: 1.3; vertical-align: middle }
.heat table { table-layout: fixed; min-width: 43rem } .heat td b { display: block; font-size: .92rem }
.heat th:first-child { width: 5.5rem }
.heat thead th, .heat tbody th { text-align: center; border: 0; min-width: 0; white-space: nowrap;
  padding: .3rem .6rem;
  vertical-align: middle }
.heat .sign { display: none }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .86rem; margin: .7rem 0 0; padding: 0;
  list-style: none }
.key svg { width: .9rem; height: .9rem; vertical-align: -.1rem; margin-right: .35rem }
${COLOURS.map((name) => `.fill-${name} { fill: var(--${name}) } .on-${name} { background: var(--${name}) }`).join('\n')}
.heat td.close { background: color-mix(in srgb, var(--pale) 30%, var(--card)); color: var(--ink); font-weight: 450 }
${COLOURS.map((name) => `.on-${name} { --pale: var(--${name}) }`).join(' ')}
:root[data-theme=dark] .heat td:not(.close) { color: #0e141b }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) .heat td:not(.close) { color: #0e141b } }

.uplot { width: 100% !important; overflow: hidden }
.u-legend { display: flex !important; flex-wrap: wrap; gap: .1rem .9rem; font-size: .82rem !important;
  text-align: left !important;
  margin: .5rem 0 0 !important; width: auto; max-width: 100% }
.u-legend tr, .u-legend tbody { display: contents }
  .u-legend .u-series > th { display: inline-flex; align-items: center }
.u-legend .u-series { display: inline-flex !important; margin: 0 !important; background: none !important }
.u-legend th, .u-legend td { border: 0; padding: .05rem .15rem !important; color: var(--ink); min-width: 0;
  width: auto;
  font-weight: 450 !important; white-space: normal }
.u-legend .u-series:first-child { order: 9 }
  .u-legend .u-series:first-child:has(.u-value:empty) { visibility: hidden }
.u-legend .u-series th::after { content: none !important } .u-legend .u-value { font-weight: 650 !important }
.u-legend .u-marker { width: 1.5rem; height: 0; border-width: 3px 0 0 !important; margin-right: .4rem; flex: none }
.u-cursor-x, .u-cursor-y { border-color: var(--soft) !important }
.u-hz .u-cursor-x { border-right-width: 1px }
.u-select { background: var(--hover); opacity: .5 }

footer { border-top: 1px solid var(--edge); color: var(--soft); font-size: .85rem; padding: 1.2rem 0 2.5rem }

@media (max-width: 1200px) { .answers { grid-template-columns: 1fr 1fr 1fr } }
@media (max-width: 900px) { .misses { columns: 1 } .answers { grid-template-columns: 1fr 1fr }
  .bars .groups { grid-template-columns: 1fr }
  .answer h3 { min-height: 0 } .answer:last-child { grid-column: 1 / -1 }
  .plots { grid-template-columns: minmax(0, 1fr) } }
@media (max-width: 620px) { .answers { grid-template-columns: 1fr } main, .top { padding: 0 .85rem }
  h1 { font-size: 1.4rem }
  .answer:last-child { grid-column: auto } .answer .facts > :nth-child(n + 3) { display: none }
  .where { font-size: .8rem }
  .warnings { font-size: .82rem }
  figure, .goals, .answer { padding: .85rem .8rem }
  .bars colgroup { display: none } .bars table, .bars tbody { display: block }
  .bars tr { display: grid; grid-template-columns: 42% 1fr; column-gap: .7rem; align-items: center }
  .bars tbody th { grid-column: 1 / -1; width: auto; padding-bottom: 0 }
  .bars td { font-size: .8rem; padding: .1rem 0 .35rem } .bars td.length { width: auto }
  .bars svg { height: .9rem } tbody th { min-width: 9.5rem }
  .heat .name { display: none } .heat .sign { display: inline } .heat table { min-width: 0 }
  .heat td { border-width: 1px; padding: .3rem 0 }
  .heat td b { font-size: .68rem; font-weight: 600 }
  .heat th:first-child { width: 3.1rem; font-size: .7rem; white-space: normal }
  .heat thead th, .heat tbody th { padding: .3rem .1rem; font-size: .78rem }
  .scroll tbody th { position: sticky; left: 0; background: var(--ground) }
  :is(figure, .goals) .scroll tbody th { background: var(--card) }
  #ways table { min-width: 0 }
  #ways th, #ways td { min-width: 0; padding-right: .4rem; font-size: .74rem; white-space: normal;
    overflow-wrap: break-word; hyphens: auto } }
@media print { .bar { display: none } figure, .answer { break-inside: avoid } }
`
