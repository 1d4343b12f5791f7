/** Until as many as wanted have come, everybody waits. */
export function gate(wanted: number): () => Promise<void> {
  let waiting = 0
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return async () => {
    if (++waiting === wanted) open()
    await opened
  }
}
