// A secret that init found in a Compose project.

export interface ProposedSecret {
  readonly key: string
  /** `global`, or the one service that sees it. */
  readonly scope: string
  readonly value: string
  /** Present location of the value, for people. */
  readonly from: string
  /** `scope/KEY` of the secrets that the value, then a template, refers to. */
  readonly refersTo?: readonly string[]
}

export interface FoundSecret extends ProposedSecret {
  /** Source of the whole value. Secrets with the same source have one value in several places. */
  readonly source?: string
  /** The text in the compose file, before interpolation. */
  readonly written?: string
}

const secretName =
  /PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|_KEY$|_DSN$/i

export const looksSecret = (key: string): boolean => secretName.test(key)
/** `postgres://app:password@db`: the part before the password, the password, and the rest. */
export const urlWithPassword = /^([a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:)([^/\s@]+)(@[^]*)$/i
