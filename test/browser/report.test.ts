/** The report as people see it: in a real browser, at the width of a desk and of a pocket, by day and by night. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

    expect(ink.length).toBeGreaterThan(8)
    expect(Math.min(...ink)).toBeGreaterThan(60)
    expect(complaints).toEqual([])
    expect(requests).toEqual([url])
    const isWider = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
    expect(isWider).toBe(false)
  })
})
