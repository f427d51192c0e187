import { timingSafeEqual } from 'node:crypto'

/** For secrets and their hashes: the time that it takes tells nothing but the length. */
export const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
