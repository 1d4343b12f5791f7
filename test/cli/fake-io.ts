import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { vi } from 'vitest'
import type { CliIo } from '../../src/cli/io.js'
import { runCli } from '../../src/cli/run.js'

/** A command line in this process: what it wrote, and the means to send it signals. */
export class FakeIo implements CliIo {
  readonly cwd: string
  readonly environment: CliIo['environment']
  readonly randomBytes: CliIo['randomBytes'] = randomBytes
  readonly exit: (code: number) => void = vi.fn<(code: number) => void>()
  readonly stdout: CliIo['stdout']
  readonly stderr: CliIo['stderr']
  readonly #written = { out: '', err: '' }
  readonly #listeners = new Map<string, Set<() => void>>()

  constructor(cwd: string, variables: Readonly<Record<string, string>> = {}, isTTY = false) {
    this.cwd = cwd
    this.environment = {
      variables,
      hostname: 'test-host',
      now: Date.now,
      readFile: (path) => readFileSync(path, 'utf8'),
    }
    this.stdout = { isTTY, write: (text) => (this.#written.out += text) }
    this.stderr = { isTTY, write: (text) => (this.#written.err += text) }
  }

  get out(): string {
    return this.#written.out
  }

  get err(): string {
    return this.#written.err
  }

  onSignal = (signal: string, listener: () => void): (() => void) => {
    const listeners = this.#listeners.get(signal) ?? new Set()
    this.#listeners.set(signal, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  signal(signal: 'SIGINT' | 'SIGTERM'): void {
    for (const listener of this.#listeners.get(signal) ?? []) listener()
  }

  /** How many listeners wait for a signal. */
  get listening(): number {
    return [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0)
  }

  async run(...args: readonly string[]): Promise<number> {
    // The parser prints its help with console.info.
    const help = vi.spyOn(console, 'info').mockImplementation((text: string) => (this.#written.out += `${text}\n`))
    try {
      return await runCli(args, this)
    } finally {
      help.mockRestore()
    }
  }
}
