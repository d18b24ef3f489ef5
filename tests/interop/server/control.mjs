/** What tests may order: POST /control/NAME with a JSON object. */

import { life, seen } from './authority.mjs';
import { issuers } from './bearer.mjs';
import { setAhead } from './clock.mjs';
import Store, { clear, of } from './store.mjs';

export const orders = {
  /** Register a client, by its metadata (RFC 7591). */
  async client(provider, metadata) {
    await new Store('Client').upsert(metadata.client_id, metadata);
    const { clientId } = await provider.Client.find(metadata.client_id);
    return { client_id: clientId };
  },

  /** Take assertions of this issuer, signed with one of these keys. */
  trust(provider, { issuer, keys }) {
    issuers.set(issuer, keys);
  },

  /** Give a first refresh token, as if the account had just agreed in a browser. */
  async consent(provider, { client_id: clientId, account: accountId }) {
    const scope = 'api offline_access';
    const client = await provider.Client.find(clientId);
    const grant = new provider.Grant({ accountId, clientId });
    grant.addOIDCScope(scope);
    const grantId = await grant.save();
    const gty = 'authorization_code';
    const token = new provider.RefreshToken({ accountId, client, grantId, gty, scope });
    return { refresh_token: await token.save() };
  },

  /** End every access token issued so far. */
  expire() {
    for (const [, row] of of('AccessToken', 'ClientCredentials')) row.exp = row.iat - 1;
  },

  /** Set the clock ahead, and the life of access tokens, in seconds. */
  set(provider, { ahead, seconds }) {
    if (ahead !== undefined) setAhead(ahead);
    if (seconds !== undefined) life.seconds = seconds;
  },

  seen: () => seen,

  reset() {
    clear();
    issuers.clear();
    setAhead(0);
    life.seconds = 3600;
    seen.length = 0;
  },
};
