/** Tables, bars and marks as HTML. */
import type { Mark } from '../results.js'
import { MARKS } from './headline.js'
import { html, type Html } from './html.js'
import { NONE, remarksOf, type Bar, type Bars, type HeatMap, type Table } from './section.js'

export function tableAsHtml(table: Table): Html {
  const { caption, head, rows } = table
  const remarks = remarksOf(table)
  const reference = (note: string): Html => html`<sup>${remarks.indexOf(note) + 1}</sup>`
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption><thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>${rows.map(({ cells: [first = '', ...others], marks, notes }) => {
    return html`<tr><th scope="row">${first}${marks.map(badge)}${notes.map(reference)}</th>${others.map(cellAsHtml)}</tr>`
  })}</tbody></table></div>
${remarks.length === 0 ? undefined : html`<ol class="notes">${remarks.map((text) => html`<li>${text}</li>`)}</ol>`}`
}

/** Stays on one line: `142 µs (139–151)`. */
const FIGURE = /^[<>≤≥]? ?[\d.,]+[^a-z]*(?:[a-zA-Zµ%×/]{0,4})(?: \([^()]*\))?$/

function cellAsHtml(text: string): Html {
  if (text === NONE) return html`<td class="none" title="not measured">${text}</td>`
  return FIGURE.test(text) ? html`<td class="figure">${text}</td>` : html`<td>${text}</td>`
}

/** The marks of any of its rows. */
export function markBadges({ rows }: Table): readonly Html[] {
  return [...new Set(rows.flatMap(({ marks }) => marks))].map(badge)
}

function badge(mark: Mark): Html {
  return html`<span class="mark ${mark}" title="${MARKS[mark]}">${mark}</span>`
}

/** As a table, because that is what it is to those who hear it. */
export function barsAsHtml({ title, groups }: Bars): Html {
  const longest = Math.max(Number.MIN_VALUE, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  return html`<figure class="bars wide"><h3>${title}</h3><div class="groups">${groups.map(
    (group) => html`<table><colgroup><col class="label"><col class="length"><col></colgroup><tbody><tr class="group"><th scope="colgroup" colspan="3">${group.title}</th></tr>
${group.bars.map((bar) => barAsHtml(bar, longest))}</tbody></table>`,
  )}</div></figure>`
}

function barAsHtml({ label, colour, line, value, text, marks }: Bar, longest: number): Html {
  const width = ((value / longest) * 100).toFixed(2)
  const opacity = line === 'solid' ? 1 : 0.6
  return html`<tr><th scope="row">${label}${marks.map(badge)}</th><td class="length"><svg viewBox="0 0 100 10"
preserveAspectRatio="none" aria-hidden="true">
<rect class="fill-${colour}" opacity="${opacity}" width="${width}" height="10"/></svg></td><td>${text}</td></tr>`
}

export function heatMapAsHtml({ title, columnsTitle, rowsTitle, columns, rows, key }: HeatMap): Html {
  return html`<figure class="heat wide"><h3>${title}</h3><div class="scroll" role="region" aria-label="${title}" tabindex="0">
<table><thead><tr><th scope="col">${rowsTitle} ↓<br>${columnsTitle} →</th>
${columns.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr><th scope="row">${row.title}</th>${row.cells.map(({ winner, sign, margin, label, colour, isClose }) => {
      const look = isClose ? `on-${colour} close` : `on-${colour}`
      return html`<td class="${look}" title="${label}" aria-label="${label}"><span class="name">${winner}</span><span class="sign">${sign}</span>
<b>${margin.replace(/ ×$/, '')}<span class="name"> ×</span></b></td>`
    })}</tr>`,
  )}</tbody></table></div>
<ul class="key">${key.map(({ text, colour, sign }) => html`<li><svg viewBox="0 0 1 1" aria-hidden="true">
<rect class="fill-${colour}" width="1" height="1"/></svg><span class="sign">${sign} </span>${text}</li>`)}</ul></figure>`
}
