// A value that init found in a Compose project.
import type { TextPart } from './interpolate.ts'

export interface ProposedSecret {
  readonly key: string
  /** `global`, or the one service that sees it. */
  readonly scope: string
  readonly value: string
  /** Present location of the value, for people. */
  readonly from: string
  /** `scope/KEY` of the secrets that the value, then a template, refers to. */
  readonly refersTo?: readonly string[]
  /** It is no secret by its name and its form, and holds none. */
  readonly plain?: true
}

export interface FoundSecret extends ProposedSecret {
  /** Source of the whole value. Secrets with the same source have one value in several places. */
  readonly source?: string
  /** The value in parts, as the compose file makes it of variables. */
  readonly parts?: readonly TextPart[]
}

export const nameOf = ({ key, scope }: Pick<ProposedSecret, 'key' | 'scope'>): string =>
  `${scope}/${key}`

/** `${scope/KEY}`, as a value. */
export const referenceTo = (home: Pick<ProposedSecret, 'key' | 'scope'>): string =>
  `\${${nameOf(home)}}`

/** The whole value is that of the other one. */
export const follows = (
  { value, refersTo }: Pick<ProposedSecret, 'value' | 'refersTo'>,
  home: ProposedSecret,
): boolean => refersTo !== undefined && value === referenceTo(home)

/** The source of a value that is the whole of a variable, or of its default. */
export const variableSource = (name: string, value: string): string => `variable ${name} ${value}`

/** A value that stays where it is, and why. */
export interface Kept {
  readonly key: string
  readonly file: string
  readonly why: string
}

/** Why plain configuration stays. */
export const whyPlain = 'is no secret by its name or its form; --all takes it'
