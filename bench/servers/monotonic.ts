/** Microseconds of the machine's monotonic clock: one clock for all processes of a machine. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint()) / 1_000
}
