/** Examples as they are after an install: a process each, with what its package.json names and nothing else. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')

/** A copy of a folder of examples, for the tests of one file; `packages` are the folders in it that are installed. */
export function installedExample(name: string, packages: readonly string[]): (folder: string) => string {
  let copy = ''
  beforeAll(() => {
    const isBuilt = existsSync(join(ROOT, 'dist/src/index.js'))
    if (!isBuilt) throw new Error('the examples run from dist: npm run build first')
    copy = mkdtempSync(join(tmpdir(), 'session-mesh-example-'))
    cpSync(join(ROOT, 'examples', name), copy, { recursive: true, filter: (file) => !file.endsWith('node_modules') })
    for (const folder of packages) install(join(copy, folder))
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))
  return (folder) => join(copy, folder)
}

/** Links what a package depends on. */
function install(folder: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(name === 'session-mesh' ? ROOT : join(ROOT, 'node_modules', name), link, 'dir')
  }
}

/** Starts `server.js` of a folder; answers its address when it listens. It ends with the test. */
export async function listening(folder: string, port: number, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, ['server.js'], { cwd: folder, env: { ...env, PORT: String(port) } })
  onTestFinished(() => leave(child))
  let said = ''
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  child.stderr.on('data', (chunk) => (said += String(chunk)))
  const url = `http://127.0.0.1:${port}`
  const answers = async (): Promise<void> => {
    if (child.exitCode !== null) throw new Error(`the service ended (${child.exitCode}): ${said}`)
    await fetch(url)
  }
  await vi.waitFor(answers, { timeout: 30_000, interval: 50 })
  return url
}

/** Asks the process to leave, as a service manager does; it must. */
async function leave(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const patience = setTimeout(() => child.kill('SIGKILL'), 10_000)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  clearTimeout(patience)
  expect(code, 'how the service left').toBe(0)
}
