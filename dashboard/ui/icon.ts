// The icons of lucide, drawn as they are asked for: see scripts/dashboard.mjs.
import { defined } from '../../src/kernel/defined.ts'
import { h, type ComponentChild } from 'preact'

type Shapes = readonly (readonly [string, Readonly<Record<string, string>>])[]

export const iconOf =
  (shapes: Shapes) =>
  ({
    size = 18,
    class: name,
  }: {
    readonly size?: number
    readonly class?: string
  }): ComponentChild =>
    h(
      'svg',
      {
        width: size,
        height: size,
        viewBox: '0 0 24 24',
        fill: 'none',
        stroke: 'currentColor',
        'stroke-width': 1.9,
        'stroke-linecap': 'round',
        'stroke-linejoin': 'round',
        'aria-hidden': true,
        ...defined({ class: name }),
      },
      shapes.map(([tag, attributes]) => h(tag, attributes)),
    )
