// What the command line and the controller's page both show of one login, so that a person sees that they belong together.
import { hash } from 'node:crypto'

/** `challenge`: of the command line's login, as the page gets it. Such as `7F3A-09C4`. */
export const loginWord = (challenge: string): string => {
  const digits = hash('sha256', `stagely login ${challenge}`, 'hex').slice(0, 8).toUpperCase()
  return `${digits.slice(0, 4)}-${digits.slice(4)}`
}
