/** The border: a run of the benchmark, as its JSON file says it; only what a calibration needs is read. */
import { z } from 'zod'

const figure = z.object({ median: z.number() })

const cell = z.object({
  question: z.string(),
  variant: z.string(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  figures: z.record(z.string(), figure),
  marks: z.array(z.string()),
})

const runFile = z.object({
  format: z.literal(1),
  startedAt: z.string(),
  commit: z.string(),
  dirty: z.boolean(),
  machine: z.object({ cpu: z.string(), cores: z.int().min(1), node: z.string(), redis: z.string() }),
  cells: z.array(cell),
})

/** What was measured, where, and of which commit. */
export type RunFile = Readonly<z.infer<typeof runFile>>
export type RunCell = Readonly<z.infer<typeof cell>>

/** The run in this text, or in a few words why it is none. */
export function readRunFile(text: string): RunFile | string {
  const parsed = runFile.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not JSON'}`.replace(/^: /, '')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
