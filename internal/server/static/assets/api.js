// The API of the service that this page came from, and the token it may want. The token is in a variable of this module and
// nowhere else: not in storage, not in a URL, not in a cookie.

/** Why a request failed. status 0: there was no answer. */
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

/** Whether nothing more is to be said of an error: its request was given up on purpose. */
export const abandoned = (error) => error?.name === 'AbortError';

let token = '';
let asking = null; // a promise of a token, while a person is asked
let declined = false; // the person closed the dialog: not asked again until they say so
let ask = async () => { throw new Error('nobody to ask for a token'); };

/** handler(error, had) shows the dialog; it returns a promise of a token that it has tried, or of null. */
export function onTokenWanted(handler) { ask = handler; }
export const hasToken = () => token !== '';
export function forgetToken() { token = ''; }

/** Asks the person for a token; fails with the error where they would rather not. */
export async function wantToken(error = null) {
  asking ??= (async () => {
    const given = await ask(error, token !== '');
    declined = given === null;
    if (!declined) token = given;
  })().finally(() => { asking = null; });
  await asking;
  if (declined) throw error ?? new ApiError(401, {title: 'A token is wanted'});
}

/** Tries a token without keeping it; null if it is good, else the error. */
export async function tryToken(candidate) {
  try {
    await once('api/v1/status', {}, candidate);
    return null;
  } catch (error) {
    return error;
  }
}

/** A request; returns the Response if it succeeded. Where a token is wanted, it waits for one. */
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

export async function post(path) {
  return body(await request(path, {method: 'POST'}), {});
}

async function body(response, options) {
  try {
    return await response.json();
  } catch (error) {
    if (options.signal?.aborted) throw new DOMException('given up', 'AbortError');
    throw new ApiError(0, {title: 'The answer was cut off', detail: 'The service stopped answering in the middle of an answer.'});
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
    throw new ApiError(0, {title: 'The service cannot be reached', detail: 'It does not answer. Whoever forwards the port may have stopped, or its pod restarts.'});
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
