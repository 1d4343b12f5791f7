import { styleText } from 'node:util'
import type { TextSink } from './io.js'

/** Adds colour to a text, or leaves it as it is. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string

/** Colours only for people: on a terminal, without NO_COLOR (https://no-color.org). */
export function paintFor(sink: TextSink, variables: Readonly<Record<string, string | undefined>>): Paint {
  const isColoured = sink.isTTY === true && (variables.NO_COLOR ?? '') === '' && variables.TERM !== 'dumb'
  return isColoured ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text
}
