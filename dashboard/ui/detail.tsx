// The page of one object, found by its team and its name or id: the object, or why it is not shown.
import type { ComponentChild } from 'preact'
import { findIn, partOf, type Known } from '../live/known.ts'
import { LinkButton } from './button.tsx'
import { Empty, PageFrame } from './page.tsx'
import { WhenKnown } from './when-known.tsx'

export const notFoundTitle = 'Not found, or you have no access.'

interface ObjectPlace {
  readonly team: string
  /** Name or id. */
  readonly name: string
}

export const findByName = <
  T extends { readonly id: string; readonly team: string; readonly name: string },
>(
  all: Known<readonly T[]>,
  { team, name }: ObjectPlace,
): Known<T | undefined> =>
  findIn(all, (object) => object.team === team && (object.name === name || object.id === name))

interface BackLink {
  readonly href: string
  /** `Back to agents`. */
  readonly text: string
}

/** Until the object is known, and where there is none. */
export const DetailPage = <T,>({
  value,
  name,
  back,
  children,
}: {
  readonly value: Known<T | undefined>
  readonly name: string
  readonly back: BackLink
  readonly children: (object: NonNullable<T>) => ComponentChild
}) => {
  const object = partOf(value)
  if (object !== undefined && object !== null) return <>{children(object)}</>
  return (
    <PageFrame windowTitle={name} title={name}>
      <WhenKnown
        value={value}
        none={
          <Empty
            title={notFoundTitle}
            action={<LinkButton href={back.href}>{back.text}</LinkButton>}
          />
        }
      />
    </PageFrame>
  )
}
