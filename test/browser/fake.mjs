// A server that answers as the API does, under the test's control. The page itself comes from the real handler, which the
// program that runs these tests serves at PAGE_URL: its headers are tested with it.
import http from 'node:http';
import {agentOf, cluster, documentOf, changesOf, explanation, toolsetsOf} from './data.mjs';

const verdicts = ['accepted', 'unavailable', 'duplicate', 'unconfirmed', 'rejected'];
const words = {400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 429: 'Too Many Requests', 503: 'Service Unavailable'};

export class Fake {
  constructor(services = cluster()) {
    this.services = services;
    this.document = documentOf(services);
    this.changes = changesOf(services); // oldest first
    this.agent = agentOf();
    this.problems = [];
    this.frozen = [];
    this.leader = true;
    this.revision = 1;
    this.tokens = null; // null: nobody is asked
    this.forbidden = () => ''; // (request) => the message of a 403, or ''
    this.starting = false;
    this.failing = false; // every request of the API is cut off
    this.discovered = Date.now();
    this.streams = new Set();
    this.sockets = new Set();
    this.requests = [];
    this.server = http.createServer((request, response) => {
      this.answer(request, response).catch((error) => { response.destroy(error); });
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  async start(port = 0) {
    await new Promise((resolve, reject) => { this.server.once('error', reject).listen(port, '127.0.0.1', resolve); });
    this.port = this.server.address().port;
    this.url = `http://127.0.0.1:${this.port}/`;
    return this;
  }

  async stop() {
    const closed = new Promise((resolve) => { this.server.close(resolve); });
    for (const s of this.sockets) s.destroy();
    await closed;
  }

  // ---- What happens in the cluster

  status() {
    const counts = Object.fromEntries(verdicts.map((v) => [v, this.services.filter((s) => s.verdict === v).length]));
    return {
      version: 'v0.9.0', leader: this.leader, standalone: false, dry_run: false, authenticated: this.tokens !== null,
      discovered_at: new Date(this.discovered).toISOString(), took: '12.4ms', counts, services_total: this.services.length,
      types: [...new Set(this.services.map((s) => s.type).filter(Boolean))].sort(), namespaces_frozen: this.frozen,
      target: 'kubernaut-system/kubernaut-toolset-config', revision: this.revision, problems: this.problems, last_change: this.changes.length,
    };
  }

  /** Tells who follows that something changed; with a change, that too. */
  tell(change) {
    this.revision++;
    if (change) {
      const c = {seq: this.changes.length + 1, at: new Date().toISOString(), namespace: '', service: '', type: '', ...change};
      this.changes.push(c);
      this.send('change', c, c.seq);
    }
    this.send('status', this.status());
  }

  send(event, data, id) {
    const text = `event: ${event}\n${id ? `id: ${id}\n` : ''}data: ${JSON.stringify(data)}\n\n`;
    for (const s of this.streams) s.write(text);
  }

  find(namespace, name) { return this.services.find((s) => s.namespace === namespace && s.name === name); }

  /** A backend goes, or comes back. */
  flap(namespace, name, up) {
    const s = this.find(namespace, name);
    Object.assign(s, up ? {verdict: 'accepted', healthy: true, reason: 'it works again'} : {verdict: 'unavailable', healthy: false, reason: 'it cannot be reached: connection refused'});
    s.metadata = {...s.metadata, probe: up ? 'ready' : 'unreachable', cause: up ? '' : 'refused'};
    this.document = documentOf(this.services);
    this.tell({kind: up ? 'added' : 'withdrawn', namespace, service: name, type: s.type, message: up ? `at ${s.endpoint}` : s.reason});
  }

  // ---- Answers

  async answer(request, response) {
    const url = new URL(request.url, this.url);
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    if (!url.pathname.startsWith('/api/')) return this.page(request, response, url);
    if (this.failing) return response.destroy();
    if (this.tokens) {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (!token) return problem(response, 401, 'not authenticated: no token; send one in the header Authorization: Bearer TOKEN');
      if (!this.tokens.has(token)) return problem(response, 401, 'not authenticated: the cluster does not accept the token; it may have expired, been revoked, or be for another audience than dynamic-toolset and the API server’s own');
    }
    const refused = this.forbidden(url.pathname);
    if (refused) return problem(response, 403, refused);
    if (this.starting) return problem(response, 503, 'the first discovery is not over yet', {'Retry-After': '1'});
    const path = url.pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent);
    switch (path[0]) {
      case 'status': return json(response, this.status());
      case 'services': return path.length > 1 ? this.explain(response, path[1], path[2]) : this.list(response, url.searchParams);
      case 'toolsets': return page(response, 'toolsets', toolsetsOf(this.services), url.searchParams, (t) => t.name);
      case 'document': return json(response, this.document);
      case 'agent': return json(response, this.agent);
      case 'changes': return json(response, {changes: [...this.changes].reverse().slice(0, Number(url.searchParams.get('limit') ?? 100)), count: this.changes.length});
      case 'discover': return this.discover(request, response);
      case 'stream': return this.stream(request, response);
      default: return problem(response, 404, 'this path does not exist');
    }
  }

  async page(request, response, url) {
    const answer = await fetch(new URL(url.pathname, process.env.PAGE_URL), {method: request.method, headers: request.headers['if-none-match'] ? {'If-None-Match': request.headers['if-none-match']} : {}});
    response.writeHead(answer.status, Object.fromEntries([...answer.headers].filter(([name]) => !['connection', 'content-length', 'keep-alive'].includes(name))));
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  list(response, query) {
    for (const name of query.keys()) if (!['type', 'namespace', 'healthy', 'verdict', 'search', 'limit', 'continue'].includes(name)) return problem(response, 400, `unknown filter ${name}`);
    const words = (query.get('search') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const fits = this.services.filter((s) => ['type', 'namespace', 'verdict'].every((f) => !query.get(f) || query.get(f) === s[f])
      && (!query.get('healthy') || (s.healthy !== null && String(s.healthy) === query.get('healthy')))
      && words.every((w) => `${s.namespace}/${s.name} ${s.type} ${s.endpoint}`.toLowerCase().includes(w)));
    const key = (s) => `${verdicts.indexOf(s.verdict)} ${s.type === '' ? 1 : 0} ${s.namespace}/${s.name}/${s.type}`;
    page(response, 'services', fits.map((s) => [key(s), s]).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, s]) => s), query, key);
  }

  explain(response, namespace, name) {
    const s = this.find(namespace, name);
    if (!s) return problem(response, 404, `no Service ${namespace}/${name} among the ${this.services.length} that are known`);
    json(response, explanation(s));
  }

  discover(request, response) {
    if (request.method !== 'POST') return problem(response, 405, 'expected POST');
    if (Date.now() - (this.asked ?? 0) < 1000) return problem(response, 429, 'one discovery may begin every second', {'Retry-After': '1'});
    this.asked = this.discovered = Date.now();
    const accepted = this.services.filter((s) => s.verdict === 'accepted');
    json(response, {status: 'done', services: accepted, count: accepted.length, leader: this.leader});
    this.tell();
  }

  stream(request, response) {
    response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
    response.write('retry: 3000\n\n: keep-alive\n\n');
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
    response.write(`event: status\ndata: ${JSON.stringify(this.status())}\n\n`);
  }
}

function json(response, value, status = 200, headers = {}) {
  response.writeHead(status, {'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', 'Cache-Control': 'no-store', 'X-Request-ID': 'REQUEST7', ...headers});
  response.end(JSON.stringify(value));
}

const problem = (response, status, detail, headers) => json(response, {type: 'about:blank', title: words[status] ?? 'Error', status, detail, request_id: 'REQUEST7'}, status, headers);

function page(response, name, all, query, key) {
  const limit = Number(query.get('limit') ?? 100);
  const after = query.get('continue') ? Buffer.from(query.get('continue'), 'base64url').toString() : '';
  const rest = after ? all.filter((x) => key(x) > after) : all;
  const part = rest.slice(0, limit);
  json(response, {[name]: part, count: all.length, ...(name === 'toolsets' && {tokens: all.reduce((sum, t) => sum + (t.tokens ?? 0), 0)}), ...(rest.length > limit ? {continue: Buffer.from(key(part.at(-1))).toString('base64url')} : {})});
}
