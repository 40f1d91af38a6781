// Requests to the API, with the token if it requires one. The token is only in a variable of this module: not in storage, a
// URL or a cookie.

/** The error of a failed request. status 0: no response. */
export class ApiError extends Error {
  constructor(status, problem, retryAfter = 0) {
    super(problem.detail || problem.title || `status ${status}`);
    this.status = status;
    this.title = problem.title ?? '';
    this.requestId = problem.request_id ?? '';
    this.errors = problem.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

/** Whether the page itself cancelled the request. */
export const abandoned = (error) => error?.name === 'AbortError';

let token = '';
let asking = null; // a promise of a token, while the dialog is open
let declined = false; // the user closed the dialog: it opens again only on request
let ask = async () => { throw new Error('no dialog for a token'); };

/** handler(error, had) shows the dialog; it returns a promise of a checked token, or of null. */
export function onTokenWanted(handler) { ask = handler; }
export const hasToken = () => token !== '';
export function forgetToken() { token = ''; }

/** Asks the user for a token; throws the error if the user declines. */
export async function wantToken(error = null) {
  asking ??= (async () => {
    const given = await ask(error, token !== '');
    declined = given === null;
    if (!declined) token = given;
  })().finally(() => { asking = null; });
  await asking;
  if (declined) throw error ?? new ApiError(401, {title: 'A token is required'});
}

/** Checks a token without keeping it; returns null if it is valid, else the error. */
export async function tryToken(candidate) {
  try {
    await once('api/v1/status', {}, candidate);
    return null;
  } catch (error) {
    return error;
  }
}

/** Sends a request and returns its successful Response. If a token is required, it waits for one. */
export async function request(path, options = {}) {
  for (;;) {
    if (asking) await asking;
    const used = token;
    try {
      return await once(path, options, used);
    } catch (error) {
      if (error.status !== 401 || declined) throw error;
      if (used === token) await wantToken(error);
      options.signal?.throwIfAborted();
    }
  }
}

export async function get(path, parameters = {}, options = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== '' && value !== null && value !== undefined) query.set(name, value);
  const text = query.toString();
  const response = await request(text ? `${path}?${text}` : path, options);
  return body(response, options);
}

/** Makes a get that gives up its last request when it sends the next one. */
export function latest() {
  let running = null;
  return async (path, parameters) => {
    running?.abort();
    const {signal} = running = new AbortController();
    try {
      return await get(path, parameters, {signal});
    } finally {
      signal.throwIfAborted(); // whatever came of it
    }
  };
}

export async function post(path) {
  return body(await request(path, {method: 'POST'}), {});
}

async function body(response, options) {
  try {
    return await response.json();
  } catch (error) {
    if (options.signal?.aborted) throw new DOMException('given up', 'AbortError');
    throw new ApiError(0, {title: 'The response is incomplete', detail: 'The connection ended in the middle of a response.'});
  }
}

async function once(path, options, bearer) {
  const headers = {Accept: 'application/json, application/problem+json', ...options.headers};
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  let response;
  try {
    response = await fetch(path, {...options, headers, cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer'});
  } catch (error) {
    if (abandoned(error)) throw error;
    throw new ApiError(0, {title: 'The service cannot be reached', detail: 'It does not answer. Check that the port-forward still runs and that the pod is ready.'});
  }
  if (response.ok) return response;
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    problem = {title: `The service answered ${response.status} ${response.statusText}`.trim()};
  }
  if (!problem.request_id) problem.request_id = response.headers.get('X-Request-ID') ?? '';
  throw new ApiError(response.status, problem, Number(response.headers.get('Retry-After')) || 0);
}
