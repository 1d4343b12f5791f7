/** Tables, bars and marks as HTML. */
import type { Mark } from '../results.js'
import { MARKS } from './headline.js'
import { html, type Html } from './html.js'
import type { Bar, Bars, HeatMap, Table } from './section.js'

export function tableAsHtml({ caption, head, rows }: Table): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption>${caption}</caption><thead><tr>${head.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>${rows.map(({ cells: [first = '', ...others], marks, notes }) => {
    const remarks = notes.map((note) => html`<span class="note">${note}</span>`)
    const rest = others.map((text) => html`<td>${text}</td>`)
    return html`<tr><th scope="row">${first}${marks.map(badge)}${remarks}</th>${rest}</tr>`
  })}</tbody></table></div>`
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
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  return html`<figure class="bars wide"><h3>${title}</h3><table><tbody>${groups.map(
    (group) => html`<tr class="group"><th scope="colgroup" colspan="3">${group.title}</th></tr>
${group.bars.map((bar) => barAsHtml(bar, longest))}`,
  )}</tbody></table></figure>`
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
    (row) => html`<tr><th scope="row">${row.title}</th>${row.cells.map(({ winner, margin, label, colour, isClose }) => {
      const look = isClose ? `on-${colour} close` : `on-${colour}`
      return html`<td class="${look}" title="${label}" aria-label="${label}">${winner}<b>${margin}</b></td>`
    })}</tr>`,
  )}</tbody></table></div>
<ul class="key">${key.map(({ text, colour }) => html`<li><svg viewBox="0 0 1 1" aria-hidden="true">
<rect class="fill-${colour}" width="1" height="1"/></svg>${text}</li>`)}</ul></figure>`
}
