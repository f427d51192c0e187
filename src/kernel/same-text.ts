import { timingSafeEqual } from 'node:crypto'

/** Compares secrets and their hashes in constant time: only the length can be learnt from the duration. */
export const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
