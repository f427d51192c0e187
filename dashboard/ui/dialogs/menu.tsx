// A button that opens a list of actions, by the platform's popover: it closes by Esc, by a click beside it, and
// when another one opens. Arrows move in it.
import type { ComponentChild } from 'preact'
import { useId, useRef } from 'preact/hooks'
import s from './menu.module.css'

interface MenuItem {
  readonly text: ComponentChild
  readonly onPress: () => void
  readonly checked?: boolean
}

interface Props {
  readonly label: string
  readonly button: ComponentChild
  readonly items: readonly (MenuItem | 'line')[]
  readonly head?: ComponentChild
}

export const Menu = ({ label, button, items, head }: Props) => {
  const id = useId()
  const menu = useRef<HTMLDivElement>(null)
  const opener = useRef<HTMLButtonElement>(null)
  const anchor = `--m${id.replaceAll(/\W/g, '')}`
  const focusOn = (step: number, from?: Element | null): void => {
    const all = [...(menu.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])]
    const at = from === undefined || from === null ? -1 : all.indexOf(from as HTMLElement)
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length
    all[next]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const here = document.activeElement
    if (event.key === 'ArrowDown') focusOn(1, here)
    else if (event.key === 'ArrowUp') focusOn(-1, here)
    else if (event.key === 'Home') focusOn(1)
    else if (event.key === 'End') focusOn(-1)
    else if (event.key === 'Tab') menu.current?.hidePopover()
    else return
    if (event.key !== 'Tab') event.preventDefault()
    event.stopPropagation()
  }
  return (
    <>
      <button
        type="button"
        ref={opener}
        class={s['opener']}
        aria-haspopup="menu"
        aria-label={label}
        popovertarget={id}
        style={{ anchorName: anchor }}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown') return
          event.preventDefault()
          menu.current?.showPopover()
        }}
      >
        {button}
      </button>
      <div
        id={id}
        ref={menu}
        popover="auto"
        class={s['menu']}
        style={{ positionAnchor: anchor }}
        onKeyDown={onKeyDown}
        onToggle={(event) => {
          if (event.newState === 'open') focusOn(1)
        }}
      >
        {head}
        <div role="menu" aria-label={label}>
          {items.map((item) =>
            item === 'line' ? (
              <hr />
            ) : (
              <button
                type="button"
                role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
                aria-checked={item.checked}
                tabIndex={-1}
                onClick={() => {
                  menu.current?.hidePopover()
                  item.onPress()
                }}
              >
                {item.text}
              </button>
            ),
          )}
        </div>
      </div>
    </>
  )
}
