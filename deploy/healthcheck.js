// The health check of the container: 0 when `/readyz` says that the node is fit to serve, 1 when not. What it answered goes to
// stdout, where `docker inspect` keeps it. READY_URL if the HTTP listener is elsewhere than by default.
import { get } from 'node:http';

const TIMEOUT_MS = 2_500;

const url = process.env['READY_URL'] ?? 'http://127.0.0.1:9292/readyz';
const end = (code, text) => {
  process.stdout.write(`${text.trim()}\n`);
  process.exitCode = code;
};

const request = get(url, { timeout: TIMEOUT_MS, agent: false }, (response) => {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (chunk) => (body = (body + chunk).slice(0, 4_096)));
  response.on('end', () => end(response.statusCode === 200 ? 0 : 1, body));
});
request.on('timeout', () => request.destroy(new Error(`${url} did not answer within ${TIMEOUT_MS} ms`)));
request.on('error', (error) => end(1, error.message));
