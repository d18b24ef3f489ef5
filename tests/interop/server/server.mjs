/** An OAuth server on loopback: writes its port to stdout, ends when its stdin does. */

import './clock.mjs'; // first: the others shall know no other
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

import { authority } from './authority.mjs';
import { orders } from './control.mjs';

console.info = console.warn = () => {}; // what is not for production is all that they say

const server = createServer(answer).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const provider = await authority(`http://127.0.0.1:${port}`);
const oauth = provider.callback();
process.stdout.write(`${port}\n`);
process.stdin.on('end', () => process.exit()).resume();

async function answer(request, response) {
  response.setHeader('Date', new Date().toUTCString());
  const [, area, name] = request.url.split('/');
  if (area === 'control') {
    const reply = await orders[name](provider, await json(request));
    send(response, 200, reply ?? {});
  } else if (area === 'api') {
    await protectedResource(request, response);
  } else {
    await oauth(request, response);
  }
}

/** Say whose token it is. */
async function protectedResource(request, response) {
  const value = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  const { AccessToken, ClientCredentials } = provider;
  const token = (await AccessToken.find(value)) ?? (await ClientCredentials.find(value));
  if (token) {
    const { clientId: client, scope = '', accountId: subject = '' } = token;
    send(response, 200, { client, scope, subject });
  } else {
    response.setHeader('WWW-Authenticate', 'Bearer error="invalid_token"');
    send(response, 401, { error: 'invalid_token' });
  }
}

function send(response, status, document) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
}
