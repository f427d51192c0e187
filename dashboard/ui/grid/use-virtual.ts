// TanStack's virtualizer for Preact.
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from '@tanstack/virtual-core'
import { useLayoutEffect, useReducer, useState } from 'preact/hooks'

type Options = Pick<
  VirtualizerOptions<HTMLElement, HTMLElement>,
  | 'count'
  | 'getScrollElement'
  | 'estimateSize'
  | 'rangeExtractor'
  | 'overscan'
  | 'horizontal'
  | 'scrollPaddingStart'
>

export const useVirtual = (options: Options): Virtualizer<HTMLElement, HTMLElement> => {
  const [, draw] = useReducer((count: number, _: 0) => count + 1, 0)
  const all = {
    ...options,
    // Where only the width is another, the rows in view stay, and the virtualizer does not say so.
    observeElementRect: ((instance, take) =>
      observeElementRect(instance, (rect) => {
        take(rect)
        draw(0)
      })) as typeof observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => draw(0),
  }
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(all))
  virtualizer.setOptions(all)
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => {
    virtualizer._willUpdate()
  })
  return virtualizer
}
