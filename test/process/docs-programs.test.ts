/** Every program in these documents is started as it stands, and counts the visits of one client. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { freePort } from '../free-port.js'

const ROOT = join(import.meta.dirname, '..', '..')
/** Within the package, so that programs find it by its name; what they find is what was built. */
const PROGRAMS = join(ROOT, 'dist', 'docs-programs')

const programs = ['carriers-and-accounts.md', 'frameworks.md'].flatMap((document) => {
  const text = readFileSync(join(ROOT, 'docs', document), 'utf8')
  return [...text.matchAll(/^## (.*)$|^```ts\n([^]*?)^```$/gm)].reduce<{ heading: string; programs: [string, string][] }>(
    ({ heading, programs: found }, [, title, program]) => {
      if (title !== undefined) return { heading: title, programs: found }
      return { heading, programs: program === undefined ? found : [...found, [`${document}: ${heading}`, program]] }
    },
    { heading: '', programs: [] },
  ).programs
})

/** One client: keeps cookies, and sends back the headers that carry ids. */
class Visitor {
  readonly #headers = new Map<string, string>()

  async visit(url: string): Promise<string> {
    const response = await fetch(url, { headers: [...this.#headers] })
    const cookies = response.headers.getSetCookie().map((line) => line.split(';', 1)[0])
    if (cookies.length > 0) this.#headers.set('cookie', cookies.join('; '))
    return await response.text()
  }
}

/** Starts a program on a port of its own; answers its address when it listens. */
async function start(name: string, program: string): Promise<string> {
  const port = await freePort()
  mkdirSync(PROGRAMS, { recursive: true })
  const file = join(PROGRAMS, `${name.replace(/\W+/g, '-')}.ts`)
  writeFileSync(file, program.replaceAll('3000', String(port)))
  const child = spawn(process.execPath, [join(ROOT, 'node_modules', 'jiti', 'lib', 'jiti-cli.mjs'), file], { cwd: ROOT })
  onTestFinished(() => {
    child.kill()
    rmSync(file)
  })
  let said = ''
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  child.stderr.on('data', (chunk) => (said += String(chunk)))
  const url = `http://localhost:${port}/`
  await vi.waitFor(async () => {
    if (child.exitCode !== null) throw new Error(said)
    await fetch(url, { method: 'HEAD' })
  }, { timeout: 20_000, interval: 100 })
  return url
}

test('there are as many programs as the documents seem to have', () => {
  expect(programs.length).toBe(8)
})

test.each(programs)('%s', async (name, program) => {
  const url = await start(name, program)
  const visitor = new Visitor()

  for (const n of [1, 2, 3]) expect(await visitor.visit(url)).toContain(`visit ${n}`)
  expect(await new Visitor().visit(url)).toContain('visit 1')
})
