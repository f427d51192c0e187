// A panel beside the page: the page stays usable, so that one goes through rows with it open. On a phone it
// covers the page. Esc closes.
import type { ComponentChild } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { useShortcuts } from '../../session/keys.ts'
import { Button } from '../button.tsx'
import { giveBackFocus } from './use-modal.ts'
import X from 'icon:x'
import s from './drawer.module.css'

interface Props {
  readonly title: ComponentChild
  readonly under?: ComponentChild
  readonly children: ComponentChild
  readonly onClose: () => void
}

export const Drawer = ({ title, under, children, onClose }: Props) => {
  const id = useId()
  const ref = useRef<HTMLElement>(null)
  useShortcuts([{ keys: 'Escape', does: 'Close panel', run: () => (onClose(), true) }])
  useLayoutEffect(() => {
    const before = document.activeElement
    const drawer = ref.current
    return () => giveBackFocus(drawer, before)
  }, [])
  return (
    <aside class={s['drawer']} aria-labelledby={id} ref={ref}>
      <header class={s['head']}>
        <div>
          <h2 id={id}>{title}</h2>
          {under === undefined ? null : <p class="muted">{under}</p>}
        </div>
        <Button variant="quiet" small label="Close panel" onPress={onClose}>
          <X size={16} />
        </Button>
      </header>
      <div class={s['body']} tabIndex={0} role="group" aria-labelledby={id}>
        {children}
      </div>
    </aside>
  )
}

/** A part of a drawer or a page, with a heading. */
export const Section = ({
  title,
  children,
  aside,
}: {
  readonly title: string
  readonly children: ComponentChild
  readonly aside?: ComponentChild
}) => (
  <section class={s['section']}>
    <header>
      <h3>{title}</h3>
      {aside}
    </header>
    {children}
  </section>
)

/** Names and values in two columns. */
export const FactList = ({
  rows,
}: {
  readonly rows: readonly (readonly [string, ComponentChild])[]
}) => (
  <dl class={s['facts']}>
    {rows.map(([name, value]) => (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)
