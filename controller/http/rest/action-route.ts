// One way to ask for an action of an object: a route that writes an annotation, which whichever replica leads sees.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { KubeObject, requestAnnotations } from '../../../src/resources/meta.ts'
import { route, type RestAnswer, type RestContext, type RouteEntry } from './route.ts'
import { changeTarget } from './target.ts'

export type RequestAnnotation = (typeof requestAnnotations)[number]

/**
 * The object with a request: the time, with milliseconds, since two within a second must differ; then what the
 * action is for. A status that repeats this text says that the action is done.
 */
export const withRequest = (
  object: KubeObject,
  annotation: RequestAnnotation,
  nowMs: number,
  details: readonly string[] = [],
): KubeObject => {
  const text = [toFineTimestamp(nowMs), ...details].join('\n')
  const annotations = { ...object.metadata.annotations, [annotation]: text }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

interface ActionEntry<Query, Body> extends Omit<RouteEntry<Query, Body>, 'handle' | 'response'> {
  readonly response: Omit<RouteEntry['response'], 'status'>
  readonly annotation: RequestAnnotation
  /** What the action is for, such as keys of a store. */
  readonly detailsOf?: (body: Body) => readonly string[]
  /** The answer, from the object with the request. */
  readonly show: (object: KubeObject) => RestAnswer
  /** In place of the request: what it would do. undefined: the request is meant. */
  readonly dryRun?: (context: RestContext<Query, Body>) => Promise<RestAnswer> | undefined
}

/** Answers with 202: the action is done later, by whoever it is for. */
export const actionRoute = <Query = unknown, Body = unknown>({
  annotation,
  detailsOf,
  show,
  dryRun,
  response,
  ...entry
}: ActionEntry<Query, Body>): RouteEntry =>
  route<Query, Body>({
    ...entry,
    response: { ...response, status: 202 },
    handle: async (context) =>
      (await dryRun?.(context)) ??
      show(
        await changeTarget(context, (before, nowMs) =>
          withRequest(before, annotation, nowMs, detailsOf?.(context.body)),
        ),
      ),
  })
