// The site of the documents: which pages, in which order. Nothing in it asks another address for anything.
import { navigation } from './navigation.mjs'

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** As GitHub makes them, so that a link works in both. */
const slugify = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')

/** Colours of a highlighter are attributes of style, which the policy of the page forbids. */
const highlight = (code) =>
  `<pre v-pre><code>${escaped(code.replace(/\n$/, ''))
    .split('\n')
    .map((line) => (/^\s*#/.test(line) ? `<span class="comment">${line}</span>` : line))
    .join('\n')}</code></pre>`

export default {
  title: 'Stagely',
  description: 'Secrets for Docker Compose, reconciled',
  lang: 'en',
  base: '/docs/',
  cleanUrls: true,
  metaChunk: true,
  lastUpdated: false,
  // Whoever changes the theme would get a style within the page, which the policy forbids.
  appearance: { disableTransition: false },
  markdown: {
    anchor: { slugify },
    highlight,
    config: (md) => {
      md.set({ html: false, linkify: false })
      const { text } = md.renderer.rules
      md.renderer.rules.text = (...args) => text(...args).replaceAll('{{', '&#123;&#123;')
    },
  },
  vite: { build: { assetsInlineLimit: 0, reportCompressedSize: false }, logLevel: 'warn' },
  themeConfig: {
    logo: '/icon.svg',
    nav: [{ text: 'Dashboard', link: '/ui/', target: '_self' }],
    sidebar: navigation,
    outline: { level: [2, 3] },
    docFooter: { prev: 'Before', next: 'Next' },
    search: {
      provider: 'local',
      options: {
        detailedView: false,
        /** Decisions are for readers who look for their reasons there. */
        _render: (source, env, md) =>
          env.relativePath.startsWith('adr/') ? '' : md.render(source, env),
      },
    },
  },
}
