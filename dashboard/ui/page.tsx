// The frame of a page: one h1, what may be done, and the title of the window with the state first.
import type { ComponentChild } from 'preact'
import { useEffect } from 'preact/hooks'
import { isStreamLive } from '../live/stream.ts'
import { Boundary } from './problem.tsx'
import s from './page.module.css'

interface Props {
  /** Of the window; the state comes first: `▲ shop`. */
  readonly windowTitle: string
  readonly title: ComponentChild
  /** Where this is: links to what it is a part of. */
  readonly within?: ComponentChild
  /** Beside the title. */
  readonly state?: ComponentChild
  readonly actions?: ComponentChild
  readonly children: ComponentChild
  /** The page fills the window and scrolls inside. */
  readonly full?: boolean
  readonly tabs?: ComponentChild
}

export const PageFrame = ({
  windowTitle,
  title,
  within,
  state,
  actions,
  children,
  full,
  tabs,
}: Props) => {
  // Hollow as all glyphs are while the page is not live: a tab in the background shows nothing else.
  const shown = isStreamLive.value ? windowTitle : windowTitle.replace('●', '○')
  useEffect(() => {
    document.title = `${shown} · Stagely`
  }, [shown])
  return (
    <div class={full === true ? `${s['page']} ${s['full']}` : s['page']}>
      <header class={s['head']}>
        <div class={s['titles']}>
          {within === undefined ? null : <p class={s['within']}>{within}</p>}
          <div class={s['line']}>
            <h1>{title}</h1>
            {state}
          </div>
        </div>
        {actions === undefined ? null : <div class={s['actions']}>{actions}</div>}
      </header>
      {tabs}
      <div class={s['content']}>
        <Boundary>{children}</Boundary>
      </div>
    </div>
  )
}

interface PanelProps {
  readonly title?: ComponentChild
  readonly aside?: ComponentChild
  readonly children: ComponentChild
  /** The content touches the border: rows, tables. */
  readonly flush?: boolean
}

/** A part of a page. Its failure stays inside. */
export const Panel = ({ title, aside, children, flush }: PanelProps) => (
  <section class={s['panel']}>
    {title === undefined ? null : (
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
    )}
    <div class={flush === true ? s['flush'] : s['inside']}>
      <Boundary>{children}</Boundary>
    </div>
  </section>
)

interface TabsProps {
  readonly label: string
  readonly items: readonly {
    readonly href: string
    readonly text: ComponentChild
    readonly current: boolean
  }[]
}

/** Tabs are links: each has an address. */
export const Tabs = ({ label, items }: TabsProps) => (
  <nav class={s['tabs']} aria-label={label}>
    {items.map(({ href, text, current }) => (
      <a href={href} aria-current={current ? 'page' : undefined}>
        {text}
      </a>
    ))}
  </nav>
)

interface EmptyProps {
  readonly title: string
  readonly children?: ComponentChild
  readonly action?: ComponentChild
}

/** Nothing is here, and what to do about that. */
export const Empty = ({ title, children, action }: EmptyProps) => (
  <div class={s['empty']}>
    <p class={s['emptyTitle']}>{title}</p>
    {children === undefined ? null : <div class="muted">{children}</div>}
    {action}
  </div>
)

/** Rows to come; seen only when they take a while. */
export const Skeleton = ({ rows = 4 }: { readonly rows?: number }) => (
  <div class={s['skeleton']} aria-hidden="true">
    {Array.from({ length: rows }, () => (
      <div />
    ))}
  </div>
)
