import type { Logger } from '../config/input.js'
import type { Log } from '../log.js'

/** Warnings and errors as lines `session-mesh warn event key=value`. */
export function lineLog(write: (line: string) => void): Log {
  return (level, event, fields = {}) => {
    if (level === 'debug' || level === 'info') return
    const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quote(value)}`)
    write(`session-mesh ${level} ${event}${pairs.join('')}\n`)
  }
}

/** The log of a configuration: its function, its logger, or `otherwise`. A log that throws stops nothing. */
export function openLog(sink: Log | Logger | undefined, otherwise: Log): Log {
  if (sink === undefined) return otherwise
  const log: Log =
    typeof sink === 'function' ? sink : (level, event, fields = {}) => sink[level]({ ...fields, event }, event)
  return (level, event, fields) => {
    try {
      log(level, event, fields)
    } catch (error) {
      otherwise('error', 'log-failed', { event, error: error instanceof Error ? error.message : String(error) })
    }
  }
}

/** Bare where it can be read back as one word, else as a JSON string, so that a line stays a line. */
function quote(value: string | number | boolean): string {
  const text = String(value)
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text)
}
