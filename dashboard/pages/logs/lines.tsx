// The lines in a window that scrolls, of which only those in view are drawn. It follows the newest line until a
// person scrolls up; then it stays where it is, and says how many came since.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../../ui/button.tsx'
import type { LogRow } from './buffer.ts'
import { LogText } from './text.tsx'
import type { LogChange } from './use-logs.ts'
import s from './logs.module.css'

const height = 20
const overscan = 10
const nearEnd = 4

interface Props {
  readonly label: string
  readonly rows: readonly LogRow[]
  readonly change: LogChange
  readonly times: boolean
  /** The class of a service's name. */
  readonly colourOf: (service: string) => string
  readonly onSelect: (row: LogRow) => void
  readonly selected: number | undefined
}

const clockPart = (time: string): string => new Date(time).toLocaleTimeString('en-GB')

const Line = ({
  row,
  times,
  colourOf,
}: Pick<Props, 'times' | 'colourOf'> & { readonly row: LogRow }) => {
  if (row.kind === 'dropped')
    return (
      <span class={s['gap']}>
        {row.lines} {row.lines === 1 ? 'line was' : 'lines were'} left out here (dropped {row.lines}
        ): this reader was slower than the containers
      </span>
    )
  if (row.kind === 'end') return <span class={s['gap']}>{row.error ?? 'The logs end here.'}</span>
  const { line } = row
  return (
    <>
      {times ? (
        <time dateTime={line.time} title={line.time}>
          {clockPart(line.time)}
        </time>
      ) : null}
      <b class={colourOf(line.service)}>{line.service}</b>
      <span class={line.stream === 'stderr' ? s['stderr'] : ''}>
        <LogText text={line.text} />
      </span>
    </>
  )
}

interface Place {
  readonly top: number
  readonly view: number
}

export const LogLines = ({ label, rows, change, times, colourOf, onSelect, selected }: Props) => {
  const scroller = useRef<HTMLDivElement>(null)
  const [place, setPlace] = useState<Place>({ top: 0, view: 600 })
  const [follows, setFollows] = useState(true)
  const [unseen, setUnseen] = useState(0)
  const lastTop = useRef(0)

  const go = (top: number): void => {
    const element = scroller.current
    if (element === null) return
    element.scrollTop = top
    lastTop.current = element.scrollTop
    setPlace({ top: element.scrollTop, view: element.clientHeight })
  }
  useLayoutEffect(() => {
    if (follows) go(rows.length * height)
    else {
      // Lines that went away at the top must not move what is being read.
      if (change.gone > 0) go(Math.max(0, lastTop.current - change.gone * height))
      setUnseen((before) => before + change.came)
    }
  }, [change])
  useLayoutEffect(() => {
    if (follows) go(rows.length * height)
  }, [follows, rows.length])
  useEffect(() => {
    const element = scroller.current
    if (element === null) return
    const observer = new ResizeObserver(() =>
      setPlace({ top: element.scrollTop, view: element.clientHeight }),
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const onScroll = (event: Event): void => {
    const { scrollTop, clientHeight, scrollHeight } = event.currentTarget as HTMLElement
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - nearEnd
    if (isAtEnd) {
      setFollows(true)
      setUnseen(0)
    } else if (scrollTop < lastTop.current) setFollows(false)
    lastTop.current = scrollTop
    setPlace({ top: scrollTop, view: clientHeight })
  }
  const first = Math.max(0, Math.floor(place.top / height) - overscan)
  const last = Math.min(rows.length, Math.ceil((place.top + place.view) / height) + overscan)
  return (
    <div class={s['window']}>
      <div
        class={s['scroller']}
        ref={scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="group"
        aria-label={label}
      >
        <div class={s['all']} style={{ height: `${rows.length * height}px` }}>
          <div style={{ transform: `translateY(${first * height}px)` }}>
            {rows.slice(first, last).map((row) => (
              <div
                key={row.at}
                class={`${s['line']} ${row.at === selected ? s['selected'] : ''}`}
                onClick={() => onSelect(row)}
              >
                <Line row={row} times={times} colourOf={colourOf} />
              </div>
            ))}
          </div>
        </div>
      </div>
      {follows ? null : (
        <div class={s['chip']}>
          <Button
            small
            variant="primary"
            onPress={() => {
              setFollows(true)
              setUnseen(0)
            }}
          >
            {unseen} new ↓
          </Button>
        </div>
      )}
    </div>
  )
}
