// The pages in the order in which the three readers need them.
const page = (text, name) => ({ text, link: `/${name}` })

export const navigation = [
  {
    text: 'Begin',
    items: [page('Documents', ''), page('Adopt a stack', 'adopting'), page('Concepts', 'concepts')],
  },
]
