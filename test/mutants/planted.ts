import type { Change } from './mutant.js'

/** The text with the change in it. Throws when its place is not there exactly once. */
export function planted(text: string, { file, find, put }: Change): string {
  const pattern = find
    .trim()
    .split(/\s+/)
    .map((word) => word.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join(String.raw`\s+`)
  const places = [...text.matchAll(new RegExp(pattern, 'g'))]
  if (places.length !== 1) throw new Error(`${places.length} places in ${file} look like: ${find}`)
  return text.replace(new RegExp(pattern), () => put)
}
