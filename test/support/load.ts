/** Runs `work` for 0 … count-1, at most `width` at a time. */
export async function each(count: number, width: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane))
}

/** Minimum, median, 99th percentile and maximum of some figures. */
export function spread(figures: readonly number[]): { readonly min: number; readonly p50: number; readonly p99: number; readonly max: number } {
  const sorted = [...figures].sort((a, b) => a - b)
  const at = (share: number): number => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2))
  return { min: at(0), p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** A figure that a test measured, where the reader of its output finds it. */
export function report(name: string, figures: unknown): void {
  process.stdout.write(`  figure: ${name}: ${typeof figures === 'string' ? figures : JSON.stringify(figures)}\n`)
}
