#!/usr/bin/env node
/** `npm run bench`: checks that what it measures with is installed, then measures. */
import { isInstalled } from './machine.js'

/** What the benchmark itself runs on: none of it is needed to use the package. */
const NEEDED = ['express', 'hdr-histogram-js', 'undici', 'uplot']
const UNAVAILABLE = 69
const FAILED = 1

async function main(args: readonly string[]): Promise<number> {
  const missing = NEEDED.filter((name) => !isInstalled(name))
  if (missing.length > 0) {
    process.stderr.write(`The benchmark needs more packages: npm install --no-save ${missing.join(' ')}\n`)
    return UNAVAILABLE
  }
  const { benchmark } = await import('./benchmark.js')
  return await benchmark(args)
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exitCode = FAILED
  },
)
