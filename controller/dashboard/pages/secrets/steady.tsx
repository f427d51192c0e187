// While somebody looks at the rows none comes in between: new ones wait behind a button.
import { useRef, useState } from 'preact/hooks'
import { Button } from '../../ui/button.tsx'
import s from './page.module.css'

interface Steady {
  readonly id: string
  readonly isStaged: boolean
}

/** Another `view`, such as another filter, shows its rows at once. */
export const useSteady = <T extends Steady>(rows: readonly T[], isBusy: boolean, view: string) => {
  const kept = useRef<ReadonlySet<string>>(new Set())
  const viewed = useRef(view)
  if (viewed.current !== view) {
    viewed.current = view
    kept.current = new Set()
  }
  const seen = useRef<readonly T[]>([])
  const [, draw] = useState(0)
  const known = kept.current
  const isHeld = isBusy && known.size > 0 && rows.some((row) => !known.has(row.id) && !row.isStaged)
  const shown = isHeld ? rows.filter((row) => known.has(row.id) || row.isStaged) : rows
  if (!isHeld && seen.current !== rows) {
    seen.current = rows
    kept.current = new Set(rows.map(({ id }) => id))
  }
  const showNew = (): void => {
    kept.current = new Set()
    draw((count) => count + 1)
  }
  return { shown, held: rows.length - shown.length, showNew }
}

export const Held = ({ count, onShow }: { readonly count: number; readonly onShow: () => void }) =>
  count === 0 ? null : (
    <p class={s['held']}>
      <Button small onPress={onShow}>
        {count} new
      </Button>
    </p>
  )
