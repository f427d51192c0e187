// While somebody looks at the rows none comes in between: new ones wait behind a button.
import { useRef, useState } from 'preact/hooks'
import { Button } from '../../ui/button.tsx'
import s from './page.module.css'

interface PausableRow {
  readonly id: string
  readonly isStaged: boolean
}

/** Made when they are asked for: with thousands of rows that takes a while. */
const idsOf = (rows: readonly PausableRow[]): (() => ReadonlySet<string>) => {
  let ids: ReadonlySet<string> | undefined
  return () => (ids ??= new Set(rows.map(({ id }) => id)))
}

/** Another `view`, such as another filter, shows its rows at once. */
export const usePausedRows = <T extends PausableRow>(
  rows: readonly T[],
  isBusy: boolean,
  view: string,
) => {
  const shownRows = useRef<readonly T[]>([])
  const viewed = useRef(view)
  if (viewed.current !== view) {
    viewed.current = view
    shownRows.current = []
  }
  const [, draw] = useState(0)
  const shownIds = idsOf(shownRows.current)
  const isHeld =
    isBusy &&
    rows !== shownRows.current &&
    shownRows.current.length > 0 &&
    rows.some((row) => !shownIds().has(row.id) && !row.isStaged)
  const shown = isHeld ? rows.filter((row) => shownIds().has(row.id) || row.isStaged) : rows
  if (!isHeld) shownRows.current = rows
  const showNew = (): void => {
    shownRows.current = []
    draw((count) => count + 1)
  }
  return { shown, held: rows.length - shown.length, showNew }
}

export const NewRowsButton = ({
  count,
  onShow,
}: {
  readonly count: number
  readonly onShow: () => void
}) =>
  count === 0 ? null : (
    <p class={s['held']}>
      <Button small onPress={onShow}>
        {count} new
      </Button>
    </p>
  )
