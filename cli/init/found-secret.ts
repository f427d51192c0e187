// A secret that init found in a Compose project.

export interface ProposedSecret {
  readonly key: string
  /** `global`, or the one service that sees it. */
  readonly scope: string
  readonly value: string
  /** For people: where the value is today. */
  readonly from: string
  /** `scope/KEY` of the secrets that the value, a template then, refers to. */
  readonly refersTo?: readonly string[]
}

export interface FoundSecret extends ProposedSecret {
  /** Where the whole value comes from: secrets with one source are one value in several places. */
  readonly source?: string
  /** The text of the compose file that variables are filled into. */
  readonly written?: string
}

const secretName =
  /PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|_KEY$|_DSN$/i

export const looksSecret = (key: string): boolean => secretName.test(key)
/** `postgres://app:password@db`: the part before the password, the password, and the rest. */
export const urlWithPassword = /^([a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:)([^/\s@]+)(@[^]*)$/i
