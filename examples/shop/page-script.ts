/** What the demo's page does: shows the stream of /demo/events, and presses buttons for people. */
export const script: string = String.raw`
const $ = (id) => document.getElementById(id)
const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
const STATES = { starting: 'copying the sessions', ready: 'ready', killed: 'killed', died: 'died' }
const LINKS = 12, CHIPS = 20

function element(tag, text, children = []) {
  const made = document.createElement(tag)
  if (text !== undefined) made.textContent = text
  made.append(...children)
  return made
}

function showState({ store, line, nodes }) {
  $('count').textContent = WORDS[nodes.length] ?? nodes.length
  $('line').textContent = line
  for (const button of document.querySelectorAll('[data-store]')) {
    button.setAttribute('aria-checked', String(button.dataset.store === store))
  }
  for (const node of nodes) showNode(node)
}

function showNode(node) {
  const card = $('node-' + node.name) ?? newCard(node.name)
  card.dataset.state = node.state
  const up = node.state === 'ready'
  card.querySelector('.state').textContent = STATES[node.state]
  const facts = {
    process: node.pid ?? '–',
    answered: node.answered,
    'ready after': node.readyMs === undefined ? '–' : Math.round(node.readyMs) + ' ms',
  }
  card.querySelector('dl').replaceChildren(
    ...Object.entries(facts).flatMap(([name, value]) => [element('dt', name), element('dd', value)]),
  )
  const button = card.querySelector('button')
  button.textContent = up ? 'kill -9' : 'start again'
  button.disabled = node.state === 'starting'
  button.onclick = () => act('/demo/' + (up ? 'kill/' : 'restart/') + node.name)
}

function newCard(name) {
  const state = element('span')
  state.className = 'state'
  const card = element('article', undefined, [
    element('header', undefined, [element('b', 'Node ' + name), state]), element('dl'), element('button'),
  ])
  card.className = 'node'
  card.id = 'node-' + name
  card.style.setProperty('--hue', 'var(--' + name + ')')
  $('nodes').append(card)
  return card
}

function showClick({ node, method, path, status, location, user }) {
  const loop = location === '/login' || (method === 'GET' && path === '/login')
  const known = user ? 'logged in as ' + decodeURIComponent(user) : 'guest'
  const told = loop ? 'login page' : status >= 500 ? 'error ' + status : known
  const chip = element('li', undefined, [
    element('b', node),
    element('span', undefined, [element('em', told), element('small', method + ' ' + path)]),
  ])
  chip.style.setProperty('--hue', 'var(--' + node + ')')
  chip.dataset.mood = loop || status >= 500 ? 'bad' : 'good'
  $('clicks').append(chip)
  while ($('clicks').children.length > CHIPS) $('clicks').firstChild.remove()
}

function say(text, mood = '') {
  $('verdict').textContent = text
  $('verdict').dataset.mood = mood
}

async function act(path) {
  const answer = await fetch(path, { method: 'POST', headers: { 'X-Demo': '1' } })
  if (!answer.ok) say(await answer.text(), 'bad')
  return answer.ok
}

/** One handler at a time; the buttons wait for it. */
function on(id, work) {
  $(id).onclick = async () => {
    const buttons = document.querySelectorAll('.actions button')
    for (const button of buttons) button.disabled = true
    try { await work() } catch { say('The demo does not answer. Is it still running?', 'bad') }
    for (const button of buttons) button.disabled = false
  }
}

on('login', async () => {
  const answer = await fetch('/login', { method: 'POST', body: new URLSearchParams({ name: 'Ada' }) })
  if (answer.url.endsWith('/login')) say('The redirect went to a node that does not know Ada.', 'bad')
  else say('Logged in on one node, greeted by the next.', 'good')
  $('shop').src = '/account'
})

on('links', async () => {
  let loops = 0
  for (let click = 0; click < LINKS; click++) {
    const answer = await fetch('/account', { redirect: 'manual' })
    if (answer.type === 'opaqueredirect') loops++
  }
  if (loops === 0) say('All ' + LINKS + ' pages knew who was looking.', 'good')
  else {
    const told = loops < LINKS ? ': the login loop.' : '. Log in first?'
    say(loops + ' of ' + LINKS + ' clicks ended at the login page' + told, 'bad')
  }
})

on('logout', async () => {
  await fetch('/logout', { method: 'POST' })
  say('Logged out on one node, and with that on all.')
  $('shop').src = '/'
})

for (const button of document.querySelectorAll('[data-store]')) {
  button.onclick = async () => {
    if (await act('/demo/store/' + button.dataset.store)) say('Now log in, then click 12 links.')
    $('shop').src = '/'
  }
}

const events = new EventSource('/demo/events')
events.addEventListener('open', () => $('clicks').replaceChildren())
events.addEventListener('state', (event) => showState(JSON.parse(event.data)))
events.addEventListener('click', (event) => showClick(JSON.parse(event.data)))
events.addEventListener('error', () => say('The demo has ended. Start it again: npm start', 'bad'))
`
