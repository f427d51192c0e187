// Protocol versions one minor apart work together, so that controller and agents update in any order.

const parse = (version: string): { major: number; minor: number } => {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(version) ?? []
  return { major: Number(major ?? NaN), minor: Number(minor ?? NaN) }
}

const agentUpdate =
  ': install the controller’s version of Stagely on its machine, then: systemctl restart stagely-agent'

/** undefined when the two work together: same major, minors at most one apart. Else the remedy. */
export const protocolFault = (controller: string, agent: string): string | undefined => {
  const [ours, theirs] = [parse(controller), parse(agent)]
  const majors = ours.major - theirs.major
  const minors = ours.minor - theirs.minor
  if (majors === 0 && Math.abs(minors) <= 1) return undefined
  const older = (majors === 0 ? minors : majors) < 0 ? 'controller' : 'agent'
  const remedy = `update the ${older}${older === 'agent' ? agentUpdate : ''}`
  return `protocol ${controller} of the controller and ${agent} of the agent do not work together; ${remedy}`
}
