// A cluster as the API tells of it: some of everything, and texts as long and as hostile as they come.

const host = (s) => `${s.name}.${s.namespace}.svc.cluster.local`;

/** A Service in the API's shape. */
export function service(namespace, name, type, verdict, reason, more = {}) {
  const {port = 80, path = '', scheme = 'http', healthy = null, probe = 'unprobed', primary = false, metadata = {}, link} = more;
  const s = {
    name, namespace, type, endpoint: '', labels: {}, metadata: {}, healthy, last_check: null,
    instance: '', primary, verdict, reason, link,
  };
  if (verdict !== 'rejected') {
    s.endpoint = `${scheme}://${host(s)}:${port}${path}`;
    s.instance = `${namespace}/${name}`;
    s.labels = {'app.kubernetes.io/name': type};
    s.metadata = {port: String(port), scheme, path, evidence: 'strong', signs: `label app.kubernetes.io/name=${type}`, toolset: toolsetOf(type, s), probe, ...metadata};
  }
  if (healthy !== null) s.last_check = new Date(Date.now() - 12_000).toISOString();
  return s;
}

const toolsets = {prometheus: 'prometheus/metrics', grafana: 'grafana/dashboards', loki: 'grafana/loki', tempo: 'grafana/tempo', elasticsearch: 'elasticsearch/data,elasticsearch/cluster'};
const toolsetOf = (type, s) => toolsets[type] ?? `${type}/${s.namespace}/${s.name}`;

const up = (version, more = {}) => ({healthy: true, probe: 'ready', metadata: {version}, ...more});

export const cluster = () => [
  service('logging', 'loki-gateway', 'loki', 'accepted', 'recognised by label app.kubernetes.io/name=loki (the labels of Loki’s charts); it works', up('3.6.2', {primary: true})),
  service('logging', 'logs-es-http', 'elasticsearch', 'accepted', 'recognised by label common.k8s.elastic.co/type=elasticsearch; it works', up('9.2.1', {port: 9200, scheme: 'https', primary: true})),
  service('monitoring', 'kps-grafana', 'grafana', 'accepted', 'recognised by label app.kubernetes.io/name=grafana (the label of the Grafana charts); it requires credentials', up('12.3.0', {probe: 'auth-required', primary: true, link: 'https://grafana.example.com', metadata: {version: '12.3.0', credentials: 'GRAFANA_API_KEY'}})),
  service('monitoring', 'kps-kube-prometheus-stack-prometheus', 'prometheus', 'accepted', 'recognised by label app=kube-prometheus-stack-prometheus (the label of kube-prometheus-stack and its forks); it works', up('3.8.0', {port: 9090, primary: true})),
  service('payments', 'prometheus', 'prometheus', 'accepted', 'recognised by label app=prometheus; it works', up('2.55.1', {path: '/prometheus'})),
  service('shop', 'orders-kb', 'custom', 'accepted', 'recognised by its annotations kubernaut.io/toolset=true and kubernaut.io/toolset-type=custom; it works', up('', {port: 8080, metadata: {description: 'Knowledge base of the order system: runbooks and known errors.'}})),
  service('tracing', 'simplest-query', 'jaeger', 'accepted', 'recognised by label app=jaeger, label app.kubernetes.io/component=service-query (the labels of the Jaeger operator); it works', up('1.76.0', {port: 16686, primary: true})),
  service('shop', 'grafana', 'grafana', 'unavailable', 'it cannot be reached: connection refused at 10.96.14.7:3000', {port: 3000, healthy: false, probe: 'unreachable', metadata: {cause: 'refused'}}),
  service('tracing', 'tempo', 'tempo', 'unavailable', 'none of its endpoints is ready', {port: 3200, healthy: false, probe: 'no-endpoints'}),
  service('monitoring', 'prometheus-operated', 'prometheus', 'duplicate', 'it leads to the same backend as monitoring/kps-kube-prometheus-stack-prometheus, which is used: this one is headless', {port: 9090, metadata: {duplicate_of: 'monitoring/kps-kube-prometheus-stack-prometheus'}}),
  service('platform', 'metrics-store', 'prometheus', 'unconfirmed', 'the only evidence is port 9090 (Prometheus’s own), and something else answers there', {port: 9090, healthy: false, probe: 'wrong-identity'}),
  service('monitoring', 'prometheus-pushgateway', 'prometheus', 'rejected', 'its name "prometheus-pushgateway" says that it is a Pushgateway, which takes metrics in and answers no queries (though it answers /-/healthy)'),
  service('sandbox', 'evil', 'custom', 'rejected', 'annotation kubernaut.io/toolset-endpoint: host "169.254.169.254" is not one of the Service’s own names (expected evil.sandbox.svc.cluster.local); the configuration may allow it in security.allowedEndpointHosts'),
  service('default', 'kubernetes', '', 'rejected', 'nothing about it looks like a known backend'),
];

/** Ten thousand Services, of which twenty are backends. */
export function large() {
  const list = [];
  for (let i = 0; i < 20; i++) list.push(service(`team-${i}`, 'prometheus', 'prometheus', 'accepted', 'recognised by label app=prometheus; it works', up('3.8.0', {port: 9090, primary: i === 0})));
  for (let i = 20; i < 10_000; i++) list.push(service(`team-${i % 250}`, `service-${String(i).padStart(5, '0')}`, '', 'rejected', 'nothing about it looks like a known backend'));
  return list;
}

const attack = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

/** Texts that somebody who may label Services would choose, wherever a text can stand. */
export const hostile = () => {
  const s = service('sandbox', 'evil', attack, 'accepted', `${attack} javascript:window.hacked=1 ${'x'.repeat(600)}`, up(attack, {primary: true}));
  s.endpoint = `javascript:window.hacked=1//${attack}`;
  s.link = `javascript:window.hacked=1//https://${attack}`;
  s.metadata = {...s.metadata, description: attack, toolset: attack, signs: attack, duplicate_of: `${attack}/${attack}`, cause: attack};
  s.labels = {[attack]: attack};
  return [s];
};
export {attack};

/** Why a Service became what it is. */
export function explanation(s) {
  const rejected = s.verdict === 'rejected';
  return {
    summary: [`${s.namespace}/${s.name} is ${s.verdict}${s.type ? ` as ${s.type}` : ''}: ${s.reason}.`],
    about: {
      kind: 'ClusterIP', ports: 'service:80->3000, metrics:9090', labels: {'app.kubernetes.io/name': s.type || 'cart', ...s.labels}, other_labels: 4,
      selector: {'app.kubernetes.io/instance': 'kps', 'app.kubernetes.io/name': s.type || 'cart'}, annotations: {'kubernaut.io/toolset-description': 'Dashboards of the shop'}, endpoints: s.healthy ? '2 ready' : '0 ready',
    },
    services: [{
      ...s, port_reason: rejected ? '' : 'port service:80: its target port is Grafana’s own 3000', primary_service: s.primary ? `${s.namespace}/${s.name}` : s.type ? `monitoring/kps-${s.type}` : '',
      credentials: s.metadata.credentials ? [s.metadata.credentials] : [],
      no_links: s.link ? [] : [{object: `Ingress ${s.namespace}/${s.name}`, url: `${s.name}.example.com`, code: 'not-allowed', reason: 'links from this namespace must not lead to that host'}],
      requests: s.healthy === null ? [] : [
        {purpose: 'identity', url: `${s.endpoint}/api/health`, status: s.healthy ? 200 : 0, result: s.healthy ? 'the answer that only the real thing gives' : 'connection refused', took: '3.214ms'},
        {purpose: 'health', url: `${s.endpoint}/api/health`, status: s.healthy ? 200 : 0, result: s.healthy ? 'database ok' : 'connection refused', took: '1.9ms'},
        ...(s.metadata.probe === 'auth-required' ? [{purpose: 'credentials', url: `${s.endpoint}/api/search?limit=1`, status: 401, result: 'it requires credentials', took: '2.041ms'}] : []),
      ],
      outcome: s.metadata.probe ?? '', detail: s.healthy === false ? 'It was asked three times and refused the connection each time.' : '',
    }],
    tried: s.type ? [
      {type: s.type, for: ['label app.kubernetes.io/name (the label of its chart)', `its name "${s.name}"`], ...(rejected ? {against: s.reason} : {}), port: 'port service:80', so: rejected ? 'no' : 'strong evidence'},
      {type: 'victoriametrics', for: ['port 8428 (VictoriaMetrics’s own)'], so: 'too little evidence: only a word or a port that other products use too'},
    ] : [],
    tried_without_annotations: s.type === 'custom',
    advice: rejected
      ? [{text: 'If it is a backend after all, include it with its type (the command catalog lists the types; custom is for any other HTTP API):', command: `kubectl -n ${s.namespace} annotate service ${s.name} kubernaut.io/toolset=true kubernaut.io/toolset-type=TYPE`}]
      : s.verdict === 'unavailable'
        ? [{text: 'It is published as soon as it answers: check that it runs.'}, {text: 'If the port or the base path is wrong, set the right one:', command: `kubectl -n ${s.namespace} annotate service ${s.name} kubernaut.io/toolset-port=PORT kubernaut.io/toolset-path=/PATH`}]
        : [{text: 'To keep it out of the toolsets:', command: `kubectl -n ${s.namespace} annotate service ${s.name} kubernaut.io/toolset=false`}],
  };
}

/** The toolsets behind which the accepted Services stand. */
/** What one replica of HolmesGPT made of the document. */
export function agentOf(more = {}) {
  const message = 'has this document: 2 of 2 toolsets enabled';
  return {
    asked: true, generation: 'generation/3f9a1c00', message: `HolmesGPT ${message}`,
    replicas: [{
      url: 'http://10.0.0.7:5050', outcome: 'loaded', message, detail: '', version: '0.45.0', generation: 'generation/3f9a1c00',
      published_at: new Date(Date.now() - 95_000).toISOString(), since: new Date(Date.now() - 90_000).toISOString(), late: false, checked_at: new Date().toISOString(), enabled: 2, total: 2,
      toolsets: ['kubernetes/core', 'prometheus/metrics'].map((name) => ({name, status: 'enabled', error: '', tools: 3, instances: [], advice: []})), advice: [], ...more,
    }],
  };
}

/** The same with a toolset that fails there. */
export const failingAgent = () => agentOf({
  message: 'has this document: 2 of 3 toolsets enabled', total: 3,
  toolsets: [{
    name: 'prometheus/metrics', status: 'enabled', error: '', tools: 9, advice: [],
    instances: [{name: 'payments/prometheus', error: 'Connection refused', advice: [{text: 'This service can reach it, but HolmesGPT’s pod cannot: check that NetworkPolicies or a service mesh let HolmesGPT’s pod in.'}]}],
  }, {
    name: 'grafana/dashboards', status: 'failed', error: 'ENV var replacement GRAFANA_API_KEY does not exist', tools: 0, instances: [],
    advice: [{text: 'Give HolmesGPT’s container the variable GRAFANA_API_KEY:', command: '{name: GRAFANA_API_KEY, valueFrom: {secretKeyRef: {name: SECRET, key: KEY}}}'}],
  }],
});

export function toolsetsOf(services) {
  const by = new Map([['kubernetes/core', []], ['kubernetes/logs', []]]);
  for (const s of services.filter((x) => x.verdict === 'accepted')) {
    for (const name of s.metadata.toolset.split(',')) by.set(name, [...(by.get(name) ?? []), s]);
  }
  return [...by].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, behind]) => ({
    name, type: behind[0]?.type ?? name.split('/')[0], enabled: name !== 'kubernetes/logs',
    tokens: name.startsWith('custom') ? null : 1600 + 900 * behind.length,
    healthy: behind.length === 0 ? null : behind.every((s) => s.healthy),
    config: behind.length === 0 ? {} : {instances: behind.map((s) => ({name: s.instance, prometheus_url: s.endpoint, headers: {'X-Scope-OrgID': 'team'}}))},
    instances: behind.map((s) => ({name: s.instance, service: `${s.namespace}/${s.name}`, type: s.type, endpoint: s.endpoint, link: s.link, primary: s.primary, healthy: s.healthy})),
  }));
}

/** The document, much as the service writes it. */
export function yaml(services) {
  const out = ['# Written by dynamic-toolset: changes made here are undone. Put yours into the key overrides.yaml.', 'toolsets:'];
  for (const t of toolsetsOf(services)) {
    out.push(`  ${t.name}:`);
    if (t.instances.length > 0) {
      out.push('    config:', '      instances:');
      for (const i of t.instances) out.push(`      - api_url: ${i.endpoint}`, `        name: ${i.name}`, '        verify_ssl: true');
    }
    out.push(`    enabled: ${t.enabled}`);
  }
  return `${out.join('\n')}\n`;
}

export function documentOf(services) {
  const without = services.filter((s) => s.namespace !== 'payments');
  const key = (type, url) => `toolset: ${type}\nenabled: true\nconfig:\n  url: "${url}"\n  timeout: "30s"\n`;
  return {
    target: 'kubernaut-system/kubernaut-toolset-config', resource_version: '48213', written_at: new Date(Date.now() - 95_000).toISOString(),
    keys: {
      'custom_toolset.yaml': yaml(services), 'kubernetes-toolset.yaml': 'toolset: kubernetes\nenabled: true\nconfig:\n  incluster: true\n  namespaces: ["*"]\n',
      'prometheus-toolset.yaml': key('prometheus', 'http://kps-kube-prometheus-stack-prometheus.monitoring.svc.cluster.local:9090'),
      'grafana-toolset.yaml': key('grafana', 'http://kps-grafana.monitoring.svc.cluster.local:80'), 'state.json': '{"version":1,"published":[]}\n',
    },
    replaced: {
      'custom_toolset.yaml': yaml(without), 'kubernetes-toolset.yaml': 'toolset: kubernetes\nenabled: true\nconfig:\n  incluster: true\n  namespaces: ["*"]\n',
      'prometheus-toolset.yaml': key('prometheus', 'http://prometheus-server.monitoring.svc.cluster.local:80'), 'zipkin-toolset.yaml': key('zipkin', 'http://zipkin.tracing.svc.cluster.local:9411'), 'state.json': '{"version":1,"published":[]}\n',
    },
    desired: null, error: null,
    overrides: {text: 'toolsets:\n  kubernetes/logs: {enabled: false}\n', valid: true, error: null, line: null, column: null},
    variables: [{name: 'GRAFANA_API_KEY', toolset: 'grafana/dashboards', instance: 'monitoring/kps-grafana', field: 'api_key'}],
    warnings: [],
  };
}

/** What went wrong, all at once. */
export function troubled(state) {
  state.problems = [
    {kind: 'publish', message: 'apply ConfigMap kubernaut-system/kubernaut-toolset-config: configmaps "kubernaut-toolset-config" is forbidden: User "system:serviceaccount:kubernaut-system:dynamic-toolset" cannot patch resource "configmaps"'},
    {kind: 'overrides', message: 'overrides.yaml: line 3, column 5: toolsets.grafana/dashboards.config: expected a mapping, got a list'},
    {kind: 'frozen', message: 'not allowed to watch payments, vault: their published backends stay as they are'},
    {kind: 'warning', message: 'the document has 512 KiB; from 900 KiB on it is not written'},
  ];
  state.document.overrides = {text: 'toolsets:\n  grafana/dashboards:\n    config: [not, a, mapping]\n  kubernetes/logs: null\n', valid: false, error: 'toolsets.grafana/dashboards.config: expected a mapping, got a list', line: 3, column: 5};
  state.document.error = state.problems[0].message;
  state.document.desired = {...state.document.keys, 'custom_toolset.yaml': `${state.document.keys['custom_toolset.yaml']}  jaeger:\n    enabled: true\n`};
}

export function changesOf(services) {
  const list = [];
  const now = Date.now();
  const add = (ago, kind, message, s = {}, type = '') => list.push({seq: list.length + 1, at: new Date(now - ago * 1000).toISOString(), kind, namespace: s.namespace ?? '', service: s.name ?? '', type, message});
  add(93_000, 'leadership', 'this replica leads now: it writes');
  for (const s of services.filter((x) => x.verdict === 'accepted').slice(0, 7)) add(92_990, 'added', `at ${s.endpoint}`, s, s.type);
  add(92_980, 'published', 'kubernaut-system/kubernaut-toolset-config: 6 keys, 14 KiB');
  add(5400, 'repaired', 'key custom_toolset.yaml was changed by kubectl-edit');
  add(4000, 'overrides-invalid', 'line 3, column 5: toolsets.grafana/dashboards.config: expected a mapping, got a list');
  add(3600, 'overrides-valid', 'the overrides are in force');
  add(700, 'failed', 'the API server does not answer: dial tcp 10.96.0.1:443: i/o timeout');
  add(640, 'recovered', 'it is written again');
  const shop = services.find((s) => s.namespace === 'shop' && s.name === 'grafana');
  if (shop) {
    add(190, 'changed', `now at ${shop.endpoint}, was at http://grafana.shop.svc.cluster.local:80`, shop, 'grafana');
    add(95, 'withdrawn', shop.reason, shop, 'grafana');
  }
  add(60, 'annotation-invalid', 'annotation kubernaut.io/toolset-port: "grafna" is no port of the Service (expected one of service:80, metrics:9090)', {namespace: 'sandbox', name: 'evil'});
  return list;
}
