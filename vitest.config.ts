import { defineConfig } from 'vitest/config'

const slow = ['test/properties/**', 'test/process/**']

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: slow } },
      { test: { name: 'properties', include: ['test/properties/**/*.test.ts'], testTimeout: 300_000 } },
      {
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
