/** Structured log: an event name and fields. Never a session id, a secret or an attribute value. */
export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  event: string,
  fields?: Readonly<Record<string, string | number | boolean>>,
) => void

/** Says nothing. */
export const silent: Log = () => {}
