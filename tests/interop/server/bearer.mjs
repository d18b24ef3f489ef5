/** The JWT bearer grant (RFC 7523 section 2.1), which oidc-provider leaves to others. */

import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { errors } from 'oidc-provider';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Public keys by issuer. */
export const issuers = new Map();

export async function answer(ctx) {
  const { client, params, provider } = ctx.oidc;
  const audience = [provider.issuer, ctx.oidc.urlFor('token')];
  const { iss, sub, jti, exp } = await verified(params.assertion, audience);
  if (!(await provider.ReplayDetection.unique(iss, jti, exp))) {
    throw new errors.InvalidGrant('assertion already used');
  }
  const { scope } = params;
  const token = new provider.AccessToken({ accountId: sub, client, gty: JWT_BEARER, scope });
  ctx.body = {
    access_token: await token.save(),
    expires_in: token.expiration,
    scope: token.scope,
    token_type: token.tokenType,
  };
}

async function verified(assertion, audience) {
  try {
    const { iss } = decodeJwt(assertion);
    const keys = createLocalJWKSet({ keys: issuers.get(iss) ?? [] });
    const { payload } = await jwtVerify(assertion, keys, {
      audience,
      maxTokenAge: '1 hour', // and so `iat` is there, and not in the future
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'jti'],
    });
    return payload;
  } catch (cause) {
    throw new errors.InvalidGrant({ cause });
  }
}

/** Take a request that names no client for its issuer's: here, as often, they are one. */
export function identify(form, authorization) {
  const named = authorization || form.has('client_id') || form.has('client_assertion');
  if (form.get('grant_type') !== JWT_BEARER || named) return;
  try {
    form.set('client_id', decodeJwt(form.get('assertion')).iss);
  } catch {
    // Then it has no client, and is refused for that.
  }
}
