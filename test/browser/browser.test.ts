import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { SessionConfig } from '../../src/index.js'
import { onPath } from '../support/installed.js'
import { report, spread } from '../support/load.js'
import { openSite, type Site } from './site.js'

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
]
const TTL_MS = 3_000
const CHAT_MS = 10_000

let browser: Browser
let site: Site | undefined
const contexts: BrowserContext[] = []

beforeAll(async () => {
  const executablePath = onPath('chromium') ?? 'chromium'
  browser = await chromium.launch({ executablePath, headless: true, args: FLAGS })
})

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  await site?.close()
  site = undefined
})

afterAll(async () => {
  await browser.close()
})

/** Opens the site, and a first tab at its first page. */
async function visit(session: SessionConfig = {}): Promise<Page> {
  site = await openSite(session)
  return await newcomer()
}

/** The first tab of somebody else: no cookies in common. */
async function newcomer(): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  return await newTab(context)
}

async function newTab(context: BrowserContext): Promise<Page> {
  if (site === undefined) throw new Error('visit() first')
  const tab = await context.newPage()
  await tab.goto(site.url)
  return tab
}

/**
 * Sends a form or follows a link, and resolves when the page that it leads to is loaded: until then the tab has two pages, of which a click
 * may meet either, and a reload neither.
 */
async function submit(tab: Page, button: string): Promise<void> {
  await Promise.all([tab.waitForEvent('load'), tab.click(button)])
}

async function logIn(tab: Page, user: string): Promise<void> {
  await tab.fill('input[name=user]', user)
  await submit(tab, '#login')
  expect(await userOf(tab)).toBe(user)
}

/** Logs out; answers the node that did it. */
async function logOut(tab: Page): Promise<string> {
  const [response] = await Promise.all([
    tab.waitForResponse((candidate) => candidate.url().includes('/logout')),
    submit(tab, '#logout'),
  ])
  return (await response.allHeaders())['x-node'] ?? ''
}

async function userOf(tab: Page): Promise<string> {
  return await tab.innerText('#user')
}

test('two tabs are two users, reloads keep them apart, and one logs out alone', async () => {
  const rob = await visit({ accounts: true })
  await logIn(rob, 'rob')
  const luke = await newTab(rob.context())
  await submit(luke, '#another')
  expect(await userOf(luke)).toBe('')
  await logIn(luke, 'luke')
  expect(new URL(luke.url()).search).toBe('?_s=1')
  const nodes = new Set<string>()

  for (let round = 0; round < 3; round++) {
    await rob.reload()
    await luke.reload()
    expect([await userOf(rob), await userOf(luke)]).toEqual(['rob', 'luke'])
    nodes.add(await rob.innerText('#node')).add(await luke.innerText('#node'))
  }
  expect(nodes.size).toBe(3)

  await logOut(rob)
  for (let round = 0; round < 3; round++) {
    await rob.reload()
    await luke.reload()
    expect([await userOf(rob), await userOf(luke)]).toEqual(['', 'luke'])
  }
})

test('chatting keeps a session of 3 seconds for 10, and HTTP is still logged in', async () => {
  const tab = await visit({ ttl: TTL_MS })
  const silent = await newcomer()
  await logIn(tab, 'ada')
  await logIn(silent, 'bob')
  await tab.click('#open')
  const startedAt = Date.now()

  const hasHeard = (count: number): boolean => document.querySelectorAll('#heard li').length >= count
  await tab.waitForFunction(hasHeard, 1 + CHAT_MS / 1_000)

  expect(Date.now() - startedAt).toBeGreaterThan(CHAT_MS - 500)
  expect(await tab.innerText('#heard li:last-child')).toMatch(/^node-\d heard ada$/)
  expect(await tab.innerText('#chat')).toBe('open')
  expect(await userOf(await newTab(tab.context()))).toBe('ada')
  await silent.reload()
  expect(await userOf(silent)).toBe('')
})

test('a logout in another tab, on another node, closes the socket within a second', async () => {
  const chat = await visit()
  const delays: number[] = []

  for (let round = 0; round < 10; round++) {
    await chat.reload()
    await logIn(chat, 'ada')
    await chat.click('#open')
    const node = (await chat.innerText('#heard li')).split(' ', 1)[0]
    const other = await newTab(chat.context())
    // Loading it was one turn, the logout is the next: neither is the socket's.
    const startedAt = Date.now()
    const loggedOutOn = await logOut(other)

    await chat.waitForFunction(() => document.getElementById('chat')?.textContent === 'closed')

    expect(await chat.innerText('#code')).toBe('1008 session ended')
    expect(loggedOutOn).not.toBe(node)
    delays.push(await chat.evaluate(() => Number(Reflect.get(window, 'closedAt'))) - startedAt)
    await other.close()
  }

  report('browser: from the click on "Log out" to the close of the socket in another tab, ms', spread(delays))
  expect(Math.max(...delays)).toBeLessThan(1_000)
})

test('the id is an HttpOnly session cookie of the whole site, and no script sees it', async () => {
  const tab = await visit()
  expect(await tab.context().cookies()).toEqual([])

  await logIn(tab, 'ada')

  const cookies = await tab.context().cookies()
  const id = cookies.find(({ name }) => name === 'sid')
  expect(id).toMatchObject({ domain: '127.0.0.1', path: '/', httpOnly: true, sameSite: 'Lax' })
  expect(id).toMatchObject({ secure: false, expires: -1 })
  for (const { name, httpOnly, sameSite, path } of cookies) {
    expect([httpOnly, sameSite, path], name).toEqual([true, 'Lax', '/'])
  }
  expect(await tab.evaluate(() => document.cookie)).toBe('')
  await logOut(tab)
  expect((await tab.context().cookies()).map(({ name }) => name)).not.toContain('sid')
})
