// Whether the name of a preview leads it to what another stack has. Who writes a template says where previews are of
// whatever name; who gives the name says no more than that. Pure.
import { liesBelow, resolvedPath } from '../../src/access/folders.ts'
import { filled, previewSpec, type PreviewSpec } from '../../src/kinds/project/preview.ts'
import { stageletSpec } from '../../src/kinds/stagelet/schema.ts'
import { machinePathsIn } from '../../src/resources/paths.ts'
import type { Typed } from '../../src/kinds/typed.ts'

/** What a stack names on its machine. A value that is no path meets nothing. */
const pathsOf = ({ spec }: Typed<'Stagelet'>): string[] => {
  const { directory, values = {} } = spec.compose
  const named = machinePathsIn(stageletSpec, spec).map(({ path }) => path)
  const texts = Object.values(values).filter((text) => text.includes('/'))
  return [...named, ...texts].map((path) => resolvedPath(path, directory))
}

const meets = (a: string, b: string): boolean => liesBelow(a, b) || liesBelow(b, a)

interface Led {
  readonly words: Readonly<Record<string, string>>
  /** Where the stack lies if the template gives it no folder. */
  readonly directory: string
  /** The other stagelets of the machine. */
  readonly others: readonly Typed<'Stagelet'>[]
}

/** Some path of the template meets one of another stack, and would not with another name. */
export const isLedElsewhere = (template: PreviewSpec, led: Led): boolean => {
  const paths = machinePathsIn(previewSpec, template).map(({ path }) => path)
  const texts = [...paths, ...Object.values(template.variables ?? {})]
  const theirs = led.others.flatMap(pathsOf)
  const pathFor = (text: string, words: Led['words']): string => {
    const fill = (one: string): string => filled(one, (word) => words[word])
    return resolvedPath(fill(text), fill(template.directory ?? led.directory))
  }
  const { name: _, ...unnamed } = led.words
  return texts.some((text) => {
    const [path, ofAny] = [pathFor(text, led.words), pathFor(text, unnamed)]
    return theirs.some((other) => meets(path, other) && !meets(ofAny, other))
  })
}
