/**
 * The report as people see it: in a real browser, at the width of a desk and of a pocket, by day and by
 * night.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { contentsOf } from '../../bench/report/contents.js'
import { spread } from '../../bench/report/format.js'
import { labelOf, settingsInWords } from '../../bench/report/names.js'
import { writeReport } from '../../bench/report/report.js'
import { madeUpRun } from '../bench/made-up-run.js'
import { onPath } from '../support/installed.js'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync']
const SIZES = { desk: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const
/** Where to leave pictures, for people who want to see them. */
const PICTURES = process.env['REPORT_PICTURES']

interface Opened {
  readonly page: Page
  readonly complaints: readonly string[]
  readonly requests: readonly string[]
}

let browser: Browser
const folder = mkdtempSync(join(tmpdir(), 'session-mesh-report-'))
let url = ''

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: onPath('chromium') ?? 'chromium', headless: true, args: FLAGS })
  const [html = ''] = await writeReport(madeUpRun(), folder)
  url = pathToFileURL(html).href
})

afterAll(async () => {
  await browser.close()
  rmSync(folder, { recursive: true })
})

async function open(
  size: keyof typeof SIZES,
  colorScheme: 'light' | 'dark',
  address = url,
): Promise<Opened & AsyncDisposable> {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme, deviceScaleFactor: size === 'phone' ? 2 : 1 })
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await context.route('**/*', async (route) => {
    requests.push(route.request().url())
    await route.continue()
  })
  await page.goto(address)
  await page.waitForFunction(() => document.documentElement.dataset['drawn'] !== undefined)
  return { page, complaints, requests, [Symbol.asyncDispose]: async () => await context.close() }
}

/** How many pixels of each canvas are neither empty nor of the grid's one colour. */
async function inkOf(page: Page): Promise<readonly number[]> {
  return await page.evaluate(() =>
    [...document.querySelectorAll('canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      let coloured = 0
      for (let at = 0; at < data.length; at += 4) {
        const [red = 0, green = 0, blue = 0, alpha = 0] = data.subarray(at, at + 4)
        if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) coloured++
      }
      return coloured
    }),
  )
}

describe.each(['desk', 'phone'] as const)('the report on a %s', (size) => {
  test.each(['light', 'dark'] as const)('is drawn in the %s theme, without a complaint and without a request', async (theme) => {
    await using report = await open(size, theme)
    const { page, complaints, requests } = report
    if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `${size}-${theme}.png`), fullPage: true })

    const ink = await inkOf(page)

    const plots = contentsOf(madeUpRun()).sections.flatMap((section) => section.plots)
    expect(plots.length).toBeGreaterThan(8)
    expect(ink).toHaveLength(plots.length)
    expect(Math.min(...ink)).toBeGreaterThan(60)
    expect(complaints).toEqual([])
    expect(requests).toEqual([url])
    const isWider = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    expect(isWider).toBe(false)
  })
})

test('the tables hold what the plots show', async () => {
  await using report = await open('desk', 'light')
  const { page } = report
  const run = madeUpRun()

  const rows = await page.evaluate(() =>
    [...document.querySelectorAll('#staleness .scroll tbody tr')].map((row) => {
      const caption = row.closest('table')?.caption?.textContent ?? ''
      return [caption, ...[...row.children].map((cell) => cell.textContent)]
    }),
  )

  const cells = run.cells.filter(({ question }) => question === 'staleness')
  expect(rows).toHaveLength(cells.length)
  for (const { variant, settings, figures } of cells) {
    // What a whole table has in common stands above it.
    const { delayMs, ...differing } = settings
    const row = rows.find(([table, name, under]) => {
      return table?.includes(`${delayMs} ms`) && name === labelOf(variant) && under === settingsInWords(differing)
    })
    const shares = [0, 1, 2, 5, 10, 50].map((after) => figures[`fresh${after}`]).flatMap((figure) => figure ?? [])
    expect(row?.slice(3, 9)).toEqual(shares.map(spread))
  }
})

test('the theme can be chosen, and the plots follow', async () => {
  await using report = await open('desk', 'light')
  const { page, complaints } = report
  const ground = async (): Promise<string> => await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const day = await ground()
  const before = await page.locator('canvas').first().screenshot()

  await page.getByRole('button', { name: 'Use the dark theme' }).click()

  expect(await ground()).not.toBe(day)
  expect((await page.locator('canvas').first().screenshot()).equals(before)).toBe(false)
  await page.getByRole('button', { name: 'Use the light theme' }).click()
  expect(await ground()).toBe(day)
  expect(complaints).toEqual([])
})

test('a plot is read with the keyboard alone', async () => {
  await using report = await open('desk', 'light')
  const { page } = report
  const plot = page.locator('#staleness-0')
  expect(await plot.getAttribute('aria-label')).toContain('fresh after 0 ms')
  await plot.focus()

  await page.keyboard.press('ArrowRight')
  const first = await plot.locator('.u-legend').innerText()
  await page.keyboard.press('ArrowRight')

  expect(first).toContain('100 %')
  expect(await plot.locator('.u-legend').innerText()).not.toBe(first)
})

test('a window that gets narrow takes its plots with it', async () => {
  await using report = await open('desk', 'light')
  const { page } = report

  await page.setViewportSize(SIZES.phone)

  await page.waitForFunction(() => {
    return [...document.querySelectorAll('.uplot canvas')].every((canvas) => canvas.getBoundingClientRect().right <= innerWidth)
  })
})

test('every control and every plot has a name, and nothing is told by colour alone', async () => {
  await using report = await open('desk', 'light')

  const nameless = await report.page.evaluate(() =>
    [...document.querySelectorAll('button, a, [role], [tabindex], figure')].flatMap((element) => {
      const by = element.getAttribute('aria-labelledby')
      const label = element.getAttribute('aria-label') ?? (by === null ? null : document.getElementById(by)?.textContent)
      const text = element.textContent.trim()
      return (label ?? text) === '' || (element.getAttribute('role') === 'img' && (label ?? '') === '') ? [element.outerHTML] : []
    }),
  )
  const verdicts = await report.page.locator('#goals tbody tr td:nth-child(4)').allTextContents()

  expect(nameless).toEqual([])
  expect(verdicts.every((verdict) => /^[✓✗–] (?:met|missed|held by tests|not measured)/.test(verdict))).toBe(true)
})

test('a quick run that was interrupted says so before anything else, and what to run', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'session-mesh-report-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const [html = ''] = await writeReport(madeUpRun({ mode: 'quick', partial: true, cells: [] }), dir)
  await using report = await open('phone', 'dark', pathToFileURL(html).href)

  const text = await report.page.innerText('main')

  expect(text.indexOf('Interrupted')).toBeGreaterThan(0)
  expect(text.indexOf('Interrupted')).toBeLessThan(text.indexOf('One process'))
  expect(text).toContain('npm run bench -- --only latency')
  expect(report.complaints).toEqual([])
})
