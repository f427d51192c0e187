// The palette: a text field, and below it what fits. Focus stays in the field; the marked item is told to screen
// readers by aria-activedescendant.
import { useLocation } from 'preact-iso'
import { useEffect, useRef, useState } from 'preact/hooks'
import { bestOf, wordsOf } from '../../../src/search/fit.ts'
import { KeyCaps } from '../../ui/button.tsx'
import { useModal } from '../../ui/dialogs/use-modal.ts'
import { askFor } from '../../session/command.ts'
import { markedIndex, nextIndex } from './choose.ts'
import { useFound } from './found.ts'
import type { Item } from './item.ts'
import { allItems, firstItems } from './items.ts'
import s from './palette.module.css'

const mostShown = 50

const namesOf = ({ text, place, group, words = [] }: Item) => ({
  own: [text, ...words],
  others: [place, group],
})

const useItems = (text: string, showShortcuts: () => void) => {
  const words = wordsOf(text)
  const found = useFound(text)
  if (words.length === 0) return { items: firstItems(showShortcuts), failed: false }
  const items = allItems(showShortcuts)
  const ids = new Set(items.map(({ id }) => id))
  const all = [...items, ...found.items.filter(({ id }) => !ids.has(id))]
  return { items: bestOf(all, words, namesOf).slice(0, mostShown), failed: found.failed }
}

const Option = ({
  item,
  id,
  isMarked,
  onPress,
  onPoint,
}: {
  readonly item: Item
  readonly id: string
  readonly isMarked: boolean
  readonly onPress: () => void
  readonly onPoint: () => void
}) => {
  const ref = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (isMarked) ref.current?.scrollIntoView({ block: 'nearest' })
  }, [isMarked])
  return (
    <li
      ref={ref}
      id={id}
      role="option"
      aria-selected={isMarked}
      aria-disabled={item.whyNot !== undefined}
      onClick={onPress}
      onPointerMove={onPoint}
    >
      <span class={s['text']}>{item.text}</span>
      <span class={s['place']}>{item.place}</span>
      {item.whyNot === undefined ? null : <span class={s['why']}>{item.whyNot}</span>}
      {item.keys === undefined ? null : (
        <span class={s['end']}>
          <KeyCaps keys={item.keys} />
          <span class="visually-hidden">shortcut {item.keys}</span>
        </span>
      )}
      {item.keys === undefined ? <span class={s['group']}>{item.group}</span> : null}
    </li>
  )
}

export interface PaletteProps {
  readonly onClose: () => void
  readonly onShortcuts: () => void
}

export const Palette = ({ onClose, onShortcuts }: PaletteProps) => {
  const { route } = useLocation()
  const dialog = useRef<HTMLDialogElement>(null)
  const [text, setText] = useState('')
  const [marked, setMarked] = useState<string>()
  const { items, failed } = useItems(text, onShortcuts)
  const at = markedIndex(
    marked,
    items.map(({ id }) => id),
  )
  useModal(dialog)
  const choose = (item: Item | undefined): void => {
    if (item === undefined || item.whyNot !== undefined) return
    onClose()
    if (item.href !== undefined) route(item.href)
    if (item.command !== undefined) askFor(item.command)
    // After the focus has gone back to where it was.
    if (item.run !== undefined) setTimeout(item.run)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return
    const next = nextIndex(event.key, at, items.length)
    if (next !== undefined) setMarked(items[next]?.id)
    else if (event.key === 'Enter') choose(items[at])
    else return
    event.preventDefault()
  }
  const optionId = (index: number): string => `palette-${index}`
  return (
    <dialog
      ref={dialog}
      class={s['palette']}
      aria-label="Command palette"
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose()
      }}
    >
      <div class={s['box']}>
        <input
          autofocus
          role="combobox"
          aria-label="Pages, objects and actions"
          aria-autocomplete="list"
          aria-expanded={items.length > 0}
          aria-controls="palette-list"
          aria-activedescendant={items.length > 0 ? optionId(at) : undefined}
          placeholder="Search pages, objects and actions"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setMarked(undefined)
          }}
          onKeyDown={onKeyDown}
        />
        <ul id="palette-list" role="listbox" aria-label="Results">
          {items.map((item, index) => (
            <Option
              key={item.id}
              item={item}
              id={optionId(index)}
              isMarked={index === at}
              onPress={() => choose(item)}
              onPoint={() => setMarked(item.id)}
            />
          ))}
        </ul>
        <p class={s['foot']} role="status">
          {items.length === 0 ? 'No results.' : `${items.length} results`}
          {failed ? ' The controller does not answer: only what this page knows is shown.' : ''}
        </p>
      </div>
    </dialog>
  )
}
