import { script } from './page-script.js'
import { style } from './page-style.js'

/** The demo's page: one self-contained document, nothing is fetched from anywhere else. */
export function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>session-mesh: one login, several nodes</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<style>${style}</style>
<header>
  <h1>One login, <span id="count">three</span> nodes, no sticky sessions</h1>
  <p>A round robin gives each click to the next process. Kill one: whoever is logged in stays logged in.</p>
</header>
<main>
  <section class="panel">
    <div class="switch" role="radiogroup" aria-label="Where sessions are kept">
      <button role="radio" data-store="mesh">session-mesh</button>
      <button role="radio" data-store="memory">a MemoryStore in each node</button>
    </div>
    <pre><code id="line"></code></pre>
    <p class="hint">That line is all that changes in the shop; its handlers stay as they are.</p>
  </section>
  <section id="nodes" class="nodes" aria-label="Nodes"></section>
  <section class="panel">
    <div class="actions">
      <button id="login" class="main">Log in as Ada</button>
      <button id="links" class="main">Click 12 links</button>
      <button id="logout">Log out</button>
    </div>
    <p id="verdict" class="verdict" role="status">Log in, then click 12 links and see who answers.</p>
    <h2>The last 20 clicks</h2>
    <ol id="clicks" class="clicks"></ol>
  </section>
  <section class="panel shop">
    <h2>The shop <a href="/" target="_blank">open alone</a></h2>
    <iframe id="shop" src="/" title="The shop"></iframe>
  </section>
</main>
<script nonce="${nonce}">${script}</script>
</html>`
}

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M16 6 6 24h20z" fill="none"
stroke="#8886" stroke-width="2"/><circle cx="16" cy="6" r="5" fill="#3b76f0"/><circle cx="6" cy="25" r="5"
fill="#d97c06"/><circle cx="26" cy="25" r="5" fill="#0f9d6c"/></svg>`
