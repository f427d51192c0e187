// The pages in the order in which the three readers need them: a developer with one stack, an operator, an auditor.
const page = (text, name) => ({ text, link: `/${name}` })
const group = (text, ...items) => ({ text, items })

export const navigation = [
  group(
    'Begin',
    page('Documents', ''),
    page('Adopt a stack', 'adopting'),
    page('Concepts', 'concepts'),
    page('Environments', 'environments'),
    page('Dashboard', 'dashboard'),
    page('Coming from another tool', 'coming-from'),
    page('Command line', 'cli'),
    page('CI', 'ci'),
    page('Scanning', 'scanning'),
  ),
  group(
    'Credentials that change',
    page('Tour of a rotation', 'tour-rotation'),
    page('Rotation', 'rotation'),
    page('Rotators', 'rotators'),
    page('Stores', 'stores'),
  ),
  group('Operate', page('Operations', 'operations'), page('Kubernetes', 'kubernetes')),
  group(
    'Reference',
    page('Kinds', 'reference/kinds'),
    page('Commands', 'reference/commands'),
    page('Conditions and reasons', 'reference/conditions'),
    page('API', 'api'),
    page('Glossary', 'glossary'),
    page('Changelog', 'changelog'),
  ),
  group(
    'How it works',
    page('Security model', 'security-model'),
    page('Performance', 'performance'),
    page('Compliance', 'compliance'),
    page('Proof', 'proof'),
    page('Compose facts', 'compose-facts'),
    page('Architecture', 'architecture'),
    page('Decisions', 'adr/'),
  ),
]
