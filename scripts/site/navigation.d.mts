export interface Entry {
  readonly text: string
  readonly link?: string
  readonly items?: readonly Entry[]
}
export const navigation: readonly Entry[]
