/** The report as one HTML page that needs nothing but itself. */
import type { Verdict } from '../judge.js'
import type { BenchRun } from '../results.js'
import type { Answer } from './answers.js'
import type { Contents } from './contents.js'
import { goalRows, limitInWords, missedOf, tallyOf } from './goal-table.js'
import { html, json, raw, type Html } from './html.js'
import { barsAsHtml, heatMapAsHtml, markBadges, tableAsHtml } from './html-parts.js'
import { hashOf, type Scripts } from './scripts.js'
import { doubts, setup } from './doubts.js'
import { fullTables } from './tables.js'
import { hasPoints, type Plot, type Section } from './section.js'
import { STYLE } from './style.js'

const MISSED_SHOWN = 6

export function page(run: BenchRun, contents: Contents, scripts: Scripts): string {
  const style = `${scripts.chartStyle}${STYLE}`
  const plots = contents.sections.flatMap((section) => section.plots)
  const [choice, ...others] = contents.sections
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(style, scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>session-mesh: benchmark of ${run.startedAt.slice(0, 10)}</title>
<link rel="icon" href="data:,">
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#answers">To the answers</a>
<div class="bar"><div class="top">
<nav aria-label="Sections"><a href="#answers">Answers</a>${choice && linkTo(choice)}<a href="#ways">The three ways</a>
<a href="#goals">Goals</a>${others.map(linkTo)}<a href="#doubts">Doubts</a></nav>
<button class="theme" id="theme" type="button">Theme</button>
</div></div>
<main>
${headlineAsHtml(contents, run)}
<div class="answers" id="answers">${contents.answers.map(answerAsHtml)}</div>
${choice && sectionAsHtml(choice)}
<section id="ways" aria-labelledby="ways-title"><h2 id="ways-title">The three ways</h2>
<figure>${tableAsHtml(contents.comparison)}</figure></section>
${goalsAsHtml(contents.verdicts)}
${others.map(sectionAsHtml)}
${doubtsAsHtml(run)}
${everything(run)}
<footer>Made by <code>${run.command}</code>, seed ${run.seed}. Medians; in parentheses the least and the most of the
rounds. Compared: ${compared(run)}.</footer>
</main>
<script type="application/json" id="plots">${json(plots.filter(hasPoints).map(drawable))}</script>
<script>${raw(scripts.chart)}</script>
<script type="module">${raw(scripts.page)}</script>
</body>
</html>
`.text
}

function linkTo({ id, short }: Section): Html {
  return html`<a href="#${id}">${short}</a>`
}

function compared({ machine: { packages } }: BenchRun): string {
  const all = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return all.join(', ') || 'nothing else'
}

/** What is in the page may run, and nothing else; nothing may be fetched. */
function policy(style: string, { chart, page: script }: Scripts): string {
  const scripts = [chart, script].map((text) => `'${hashOf(text)}'`).join(' ')
  return [
    "default-src 'none'",
    `script-src ${scripts}`,
    `style-src '${hashOf(style)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

function headlineAsHtml({ headline: { where, when, warnings } }: Contents, run: BenchRun): Html {
  const which = doubts(run).rows.length === 0 ? undefined : html`<li><a href="#doubts">Which</a></li>`
  return html`<header>
<h1>Which backend for your sessions</h1>
<p class="where">${when}; ${where}</p>
${warnings.length === 0 ? undefined : html`<ul class="warnings">${warnings.map((text) => html`<li>${text}</li>`)}${which}</ul>`}
</header>`
}

function answerAsHtml({ id, who, choice, facts, missing }: Answer): Html {
  return html`<article class="answer" id="answer-${id}"><h3>${who}</h3><span class="choice"><code>${choice}</code></span>
<dl class="facts">${facts.map(({ value, text }) =>
    value === ''
      ? html`<div class="whole"><dd>${text}</dd></div>`
      : html`<div class="fact"><dt>${value}</dt><dd>${text}</dd></div>`,
  )}</dl>${missing.map((command) => {
    const what = facts.length === 0 ? 'Not measured in this run' : 'For the rest'
    return html`<p class="run">${what}: <code>${command}</code></p>`
  })}</article>`
}

function goalsAsHtml(verdicts: readonly Verdict[]): Html {
  const { met, missed, held, unknown } = tallyOf(verdicts)
  const all = Math.max(1, verdicts.length)
  return html`<div class="goals" id="goals"><h2>Goals</h2>
<p class="tally"><span class="met"><b>${met}</b> met</span><span class="missed"><b>${missed}</b> missed</span>
<span class="unknown"><b>${unknown}</b> not measured in this run</span>
<span class="held"><b>${held}</b> not of a run: held by tests</span></p>
<svg class="share" viewBox="0 0 ${all} 1" preserveAspectRatio="none" aria-hidden="true">
<rect class="met" width="${met}" height="1"/><rect class="missed" x="${met}" width="${missed}" height="1"/>
<rect class="unknown" x="${met + missed}" width="${unknown}" height="1"/>
<rect class="held" x="${met + missed + unknown}" width="${held}" height="1"/></svg>
${missed === 0 ? undefined : missedAsHtml(verdicts)}
<details><summary>Every goal, and what the best known peer did</summary>${tableAsHtml(goalRows(verdicts))}</details></div>`
}

/** The worst of them; the table has all. */
function missedAsHtml(verdicts: readonly Verdict[]): Html {
  const missed = missedOf(verdicts)
  const shown = missed.slice(0, MISSED_SHOWN)
  const rest = missed.length - shown.length
  return html`<ul class="misses">${shown.map(
    ({ goal, figure }) => html`<li>${goal.sentence}: <b>${limitInWords(goal, figure)}</b></li>`,
  )}</ul>${rest === 0 ? undefined : html`<p class="note">And ${rest} more, in the table.</p>`}`
}

function sectionAsHtml(section: Section): Html {
  const { id, title, lead, findings, heatMaps = [], bars, plots, tables, folded = [], missing } = section
  const said = findings.map((finding) => html`<p class="finding">${finding}</p>`)
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
<p class="lead">${lead}</p>
${heatMaps.length === 0 ? said : undefined}
${missing === undefined ? undefined : emptyAsHtml(missing)}
<div class="plots">${heatMaps.map(heatMapAsHtml)}${bars.map(barsAsHtml)}${plots.map((plot) => plotAsHtml(plot, id))}</div>
${heatMaps.length === 0 ? undefined : said}
${folded.length === 0 ? undefined : html`<details><summary>Table</summary>${folded.map(tableAsHtml)}</details>`}
<div class="tabular">${tables.map((table) => html`<figure>${tableAsHtml(table)}</figure>`)}</div></section>`
}

function emptyAsHtml(command: string): Html {
  return html`<p class="empty">Not measured in this run. To measure it: <code>${command}</code></p>`
}

function plotAsHtml(plot: Plot, question: string): Html {
  const { id, title, summary, table } = plot
  const canvas = hasPoints(plot)
    ? html`<div class="canvas" id="${id}" role="img" tabindex="0" aria-label="${title}. ${summary}"></div>`
    : emptyAsHtml(`npm run bench -- --only ${question}`)
  return html`<figure aria-labelledby="${id}-title"><h3 id="${id}-title">${title}${markBadges(table)}</h3>${canvas}
<details><summary>Table</summary>${tableAsHtml(table)}</details></figure>`
}

/** What the script needs of a plot. */
function drawable({ id, x, y, series, crossings }: Plot): object {
  return { id, x, y, series, crossings }
}

/** How it was set up, and what the warnings at the top speak of. */
function doubtsAsHtml(run: BenchRun): Html {
  const table = doubts(run)
  return html`<section id="doubts" aria-labelledby="doubts-title"><h2 id="doubts-title">What to doubt</h2>
<ul class="setup">${setup(run).map((text) => html`<li>${text}</li>`)}</ul>
${table.rows.length === 0 ? undefined : html`<figure>${tableAsHtml(table)}</figure>`}</section>`
}

function everything({ cells }: BenchRun): Html {
  const questions = [...new Set(cells.map(({ question }) => question))]
  return html`<section id="everything" aria-labelledby="everything-title">
<h2 id="everything-title">Every figure of this run</h2>
${questions.map((question) => {
    const own = cells.filter((cell) => cell.question === question)
    return html`<details><summary>${question}</summary>${fullTables(question, own).map(tableAsHtml)}</details>`
  })}</section>`
}
