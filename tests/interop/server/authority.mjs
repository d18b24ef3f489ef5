/** The OAuth server: oidc-provider, strict where a strict one would be. */

import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

import * as bearer from './bearer.mjs';
import Store from './store.mjs';

const HOUR = 3600;

/** Seconds that an access token lives. */
export const life = { seconds: HOUR };
/** What was asked and how it ended, in order. */
export const seen = [];

export async function authority(issuer) {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    adapter: Store,
    clientAuthMethods: [
      'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'none',
    ],
    clientDefaults: { redirect_uris: [], response_types: [], scope: 'api offline_access' },
    clockTolerance: 0,
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      revocation: { enabled: true },
    },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256' }] },
    rotateRefreshToken: true,
    scopes: ['api', 'offline_access'],
    ttl: {
      AccessToken: () => life.seconds,
      ClientCredentials: () => life.seconds,
      Grant: 24 * HOUR,
      RefreshToken: 24 * HOUR,
    },
  });
  provider.registerGrantType(bearer.JWT_BEARER, bearer.answer, ['assertion', 'scope']);
  provider.use(remember);
  for (const kind of ['grant', 'revocation']) {
    provider.on(`${kind}.error`, (ctx, error) => { ctx.state.detail = error.error_detail; });
  }
  provider.on('server_error', (ctx, error) => console.error(error));
  return provider;
}

async function remember(ctx, next) {
  const form = new URLSearchParams((await ctx.req.toArray()).join(''));
  const asked = { path: ctx.path, ...Object.fromEntries(form) };
  bearer.identify(form, ctx.get('authorization'));
  ctx.req.body = form.toString();
  await next();
  const { error = '' } = ctx.body ?? {};
  seen.push({ ...asked, status: ctx.status, error, detail: ctx.state.detail ?? '' });
}
