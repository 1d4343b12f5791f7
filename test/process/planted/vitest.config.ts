import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { CanaryReporter } from '../../support/canary/reporter.js'

const ROOT = join(import.meta.dirname, '..', '..', '..')

/** The canary as the whole run has it, over tests that leak. */
export default defineConfig({
  test: {
    root: ROOT,
    include: ['test/process/planted/leaks.ts'],
    setupFiles: ['test/support/canary/worker.ts'],
    reporters: ['default', new CanaryReporter()],
  },
})
