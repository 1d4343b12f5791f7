import { defineConfig } from 'vitest/config'
import { CanaryReporter } from './test/support/canary/reporter.js'

/** Sees what every process of the run writes down. */
const setupFiles = ['test/support/canary/worker.ts']
/** How soon something happens elsewhere: while nothing else runs. */
const MOMENTS = ['test/process/websocket.test.ts']
const slow = ['test/properties/**', 'test/races/**', 'test/process/**', 'test/faults/**', 'test/redis/**', 'test/browser/**']

export default defineConfig({
  test: {
    reporters: ['default', new CanaryReporter()],
    // Files side by side, also on two cores; the default leaves one of them idle.
    maxWorkers: '100%',
    projects: [
      { test: { name: 'unit', setupFiles, include: ['test/**/*.test.ts'], exclude: slow, testTimeout: 30_000 } },
      {
        test: {
          name: 'properties',
          setupFiles,
          include: ['test/properties/**/*.test.ts', 'test/races/**/*.test.ts'],
          globalSetup: 'test/support/setup.ts',
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'redis',
          setupFiles,
          include: ['test/redis/**/*.test.ts'],
          globalSetup: 'test/support/setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'browser',
          setupFiles,
          include: ['test/browser/**/*.test.ts'],
          globalSetup: 'test/browser/setup.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'process',
          setupFiles,
          include: ['test/process/**/*.test.ts'],
          exclude: MOMENTS,
          globalSetup: 'test/support/setup.ts',
          testTimeout: 240_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'moments',
          setupFiles,
          include: MOMENTS,
          globalSetup: 'test/support/setup.ts',
          testTimeout: 240_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'faults',
          setupFiles,
          include: ['test/faults/**/*.test.ts'],
          globalSetup: 'test/support/setup.ts',
          testTimeout: 900_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
