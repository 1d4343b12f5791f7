#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { realEnvironment } from '../cluster.js'
import type { CliIo } from './io.js'
import { runCli } from './run.js'

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  environment: realEnvironment(),
  randomBytes,
  onSignal: (signal, listener) => {
    process.on(signal, listener)
    return () => process.off(signal, listener)
  },
  exit: (code) => process.exit(code),
}

// A reader that went away (`| head`) is no failure: the command goes on and ends as it would have.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

void runCli(process.argv.slice(2), io).then((code) => {
  if (code !== 0) process.exitCode = code
})
