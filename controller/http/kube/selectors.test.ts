import { describe, expect, it } from 'vitest'
import { requireKind } from '../../../src/kinds/index.ts'
import { parseFieldSelector, parseLabelSelector, splitTerms } from './selectors.ts'

const labels = { app: 'web', tier: 'front', 'stagely.dev/team': 'shop', size: '007' }

describe('parseLabelSelector', () => {
  const cases: [string, boolean][] = [
    ['app=web', true],
    ['app==web,tier!=back', true],
    ['app!=web', false],
    ['absent!=x', true],
    ['app in (api, web),tier notin (back)', true],
    ['absent notin (a)', true],
    ['absent in (a)', false],
    ['app', true],
    ['!app', false],
    ['!absent,stagely.dev/team=shop', true],
    ['tier=', false],
    ['constructor', false],
    ['!toString', true],
    ['size>6', true],
    ['size > 7', false],
    ['size<8,size>0', true],
    ['size<7', false],
    ['app>1', false],
    ['absent<1', false],
    ['app in ( web , )', true],
    ['absent in ()', false],
  ]
  it.each(cases)('%s is %s', (text, expected) => {
    expect(parseLabelSelector(text)!(labels)).toBe(expected)
  })

  it('selects all when empty', () => {
    expect(parseLabelSelector('')).toBeUndefined()
    expect(parseLabelSelector(undefined)).toBeUndefined()
  })

  it.each([
    ...['a=b=c', 'a in b', ',', 'a in (b', '=x', 'a,', 'a in (b c)', 'a in (b=c)', 'a in (b)(c)'],
    ...[
      'a=-b',
      'a/b/c',
      'A.b/c',
      `a=${'x'.repeat(64)}`,
      'a>x',
      'a>',
      'a>-1',
      'a>>1',
      'a>=1',
      '!a>1',
    ],
  ])('refuses %s', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(/unable to parse/)
  })
})

describe('parseFieldSelector', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'n' },
    spec: { involvedObject: { uid: 'u', kind: 'Stagelet' }, type: 'Warning' },
  }

  it('knows name and namespace of every kind, and what an event is about', () => {
    const event = requireKind('Event')
    expect(
      parseFieldSelector(
        event,
        'involvedObject.uid=u,involvedObject.kind=Stagelet,metadata.name!=x',
      )!(object),
    ).toBe(true)
    expect(parseFieldSelector(event, 'type=Normal')!(object)).toBe(false)
    expect(
      parseFieldSelector(requireKind('Stagelet'), 'metadata.name=e,metadata.namespace=n')!(object),
    ).toBe(true)
  })

  it('knows the fields of spec that the CRD declares', () => {
    const stagelet = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      metadata: { name: 's' },
      spec: { projectRef: { name: 'shop' }, agentRef: { name: 'a1' } },
    }
    const select = (text: string): boolean =>
      parseFieldSelector(requireKind('Stagelet'), text)!(stagelet)
    expect(select('spec.agentRef.name=a1,spec.projectRef.name!=other')).toBe(true)
    expect(select('spec.agentRef.name=a2')).toBe(false)
  })

  it('reads escaped values, and passes over empty terms', () => {
    const project = requireKind('Project')
    const select = (text: string): boolean =>
      parseFieldSelector(project, text)!({ ...object, kind: 'Project' })
    expect(select('metadata.name=e , ,')).toBe(true)
    expect(select('metadata.name =  e')).toBe(true)
    expect(select(',')).toBe(true)
    expect(select(String.raw`metadata.name!=e\,f`)).toBe(true)
    expect(select(String.raw`metadata.name=e\=f`)).toBe(false)
  })

  it.each(['metadata.name=a=b', 'metadata.name', String.raw`metadata.name=a\b`])(
    'refuses %s',
    (text) => {
      expect(() => parseFieldSelector(requireKind('Project'), text)).toThrow(/can't understand/)
    },
  )

  it('refuses another field', () => {
    expect(() => parseFieldSelector(requireKind('Stagelet'), 'spec.paused=true')).toThrow(
      'field label not supported: spec.paused',
    )
  })
})

describe('splitTerms', () => {
  it('looks at each letter once, whatever the text is made of', () => {
    const looks = (text: string): number => {
      let count = 0
      const counting = {
        length: text.length,
        charAt: (at: number): string => {
          count++
          return text.charAt(at)
        },
        slice: (start?: number, end?: number): string => text.slice(start, end),
      }
      splitTerms(counting)
      return count
    }
    for (const piece of [',', '(', '),', 'a in (b,c),', '(,'])
      for (const times of [1_000, 4_000])
        expect(looks(piece.repeat(times))).toBe(piece.length * times)
  })
})
