// Which stagelet of a project is in which environment. It decides who sees which secret, so each revision has its own: see
// ADR 0080.

export interface Layout {
  /** By the name of the stagelet, its environment. Stagelets without one are absent. */
  readonly stagelets: ReadonlyMap<string, string>
  /** Environments whose stagelets see no secret of the whole project (`inherits: Nothing`), sorted. */
  readonly isolated: readonly string[]
}

/** Layout.isolated, as a project lists its environments. */
export const isolatedIn = (
  environments: readonly { readonly name: string; readonly inherits?: string | undefined }[],
): string[] =>
  environments.flatMap(({ name, inherits }) => (inherits === 'Nothing' ? [name] : [])).sort()

/** Of stagelets with their environments. */
export const layoutOf = (
  stagelets: readonly { readonly name: string; readonly environment?: string | undefined }[],
  isolated: readonly string[],
): Layout => ({
  stagelets: new Map(
    stagelets.flatMap(({ name, environment }) =>
      environment === undefined ? [] : [[name, environment] as const],
    ),
  ),
  isolated,
})

export const emptyLayout: Layout = { stagelets: new Map(), isolated: [] }

export const isEmptyLayout = ({ stagelets, isolated }: Layout): boolean =>
  isolated.length === 0 && stagelets.size === 0

const textOf = ({ stagelets, isolated }: Layout): string =>
  JSON.stringify({
    isolated: [...isolated].sort(),
    stagelets: [...stagelets].sort(([a], [b]) => (a < b ? -1 : 1)),
  })

const texts = new WeakMap<Layout, string>()

/** One text for each layout, as it is stored and as the set MAC covers it. Made once: that of thousands takes ms. */
export const layoutText = (layout: Layout): string => {
  const text = texts.get(layout) ?? textOf(layout)
  texts.set(layout, text)
  return text
}

/** Of layoutText(). */
export const parseLayout = (text: string): Layout => {
  const { isolated, stagelets } = JSON.parse(text) as {
    readonly isolated: string[]
    readonly stagelets: [string, string][]
  }
  return { isolated, stagelets: new Map(stagelets) }
}

/** Id of the layout among the lines of the set MAC: no secret has it. */
export const layoutLineId = 'layout'

/** The line of the set MAC; undefined for an empty layout, which has none. */
export const layoutLine = (layout: Layout): string | undefined =>
  isEmptyLayout(layout) ? undefined : `layout ${layoutText(layout)}`

/** The environment of a stagelet; undefined: it is in none. */
export const environmentOf = (layout: Layout, stagelet: string | undefined): string | undefined =>
  stagelet === undefined ? undefined : layout.stagelets.get(stagelet)

/** The same text for two layouts in which the stagelet sees the same secrets, whatever these are. */
export const placeInLayout = (layout: Layout, stagelet: string): string =>
  placeOfEnvironment(layout, environmentOf(layout, stagelet))

/** The same of all stagelets of an environment; undefined: of those in none. */
export const placeOfEnvironment = (
  { isolated }: Pick<Layout, 'isolated'>,
  environment: string | undefined,
): string => {
  if (environment === undefined) return ''
  return isolated.includes(environment) ? `${environment} alone` : environment
}
