/**
 * The bytes both halves of the value codec agree on: MessagePack, with extension types for what it does not know.
 * A Map or a Set is an array whose first element is a marker, which no other value encodes to.
 */
export const Ext = {
  undefined: 0x00,
  /** Sign byte (0 or 1), then the magnitude, big-endian, without leading zeros. */
  bigint: 0x42,
  /** Milliseconds since 1970 as a float64; NaN is the invalid date. */
  date: 0x44,
  map: 0x4d,
  set: 0x53,
  /** UTF-16 little-endian, for strings with lone surrogates, which UTF-8 cannot hold. */
  utf16: 0x55,
} as const
