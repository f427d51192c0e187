// The pages in the order in which the three readers need them: a developer with one stack, an operator, an auditor.
const page = (text, name) => ({ text, link: `/${name}` })
const group = (text, ...items) => ({ text, items })

export const navigation = [
  page('Documents', ''),
  group(
    'One stack',
    page('Quickstart', 'quickstart'),
    page('Adopt a stack', 'adopting'),
    page('Day two', 'day-two'),
    page('Environments and previews', 'environments'),
    page('A password that changes itself', 'tour-rotation'),
    page('Coming from another tool', 'coming-from'),
    page('CI', 'ci'),
    page('Scan repositories', 'scanning'),
    page('Dashboard', 'dashboard'),
    page('Command line', 'cli'),
  ),
  group(
    'A fleet',
    page('A server for real', 'server'),
    page('A dead machine', 'dead-machine'),
    page('Alerts and runbooks', 'reference/alerts'),
    page('Operations', 'operations'),
    page('Kubernetes', 'kubernetes'),
    page('Stores of secrets', 'stores'),
    page('Rotation', 'rotation'),
    page('Rotators', 'rotators'),
  ),
  group(
    'Reference',
    page('Kinds', 'reference/kinds'),
    page('Commands', 'reference/commands'),
    page('Conditions and reasons', 'reference/conditions'),
    page('API', 'api'),
    page('REST routes', 'reference/rest'),
    page('Roles and rights', 'reference/rights'),
    page('Glossary', 'glossary'),
    page('Changelog', 'changelog'),
  ),
  group(
    'How it works, for auditors too',
    page('Concepts', 'concepts'),
    page('Security model', 'security-model'),
    page('Compliance', 'compliance'),
    page('Proof', 'proof'),
    page('Performance', 'performance'),
    page('Architecture', 'architecture'),
    page('Decisions', 'adr/'),
  ),
]
