// openid-client, a certified relying party, as a downstream application for one test.
// GET /  begins a login; GET /cb  finishes it and answers the claims as JSON; GET /m2m answers client credentials.
import http from 'node:http';
import * as client from 'openid-client';

const { RP_PORT, RP_ISSUER, RP_CLIENT_ID, RP_CLIENT_SECRET, RP_AUTH, RP_PARAMETERS, RP_ALG } = process.env;
const base = `http://127.0.0.1:${RP_PORT}`;
const authentication = {
  basic: () => client.ClientSecretBasic(RP_CLIENT_SECRET),
  post: () => client.ClientSecretPost(RP_CLIENT_SECRET),
  none: () => client.None(),
}[RP_AUTH || 'basic']();

let configuration;
async function configured() {
  configuration ??= await client.discovery(
    new URL(RP_ISSUER), RP_CLIENT_ID, { id_token_signed_response_alg: RP_ALG || 'RS256' }, authentication,
    { execute: [client.allowInsecureRequests] },
  );
  return configuration;
}

const logins = new Map();

async function begin(response) {
  const config = await configured();
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  logins.set(state, { verifier, nonce });
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: `${base}/cb`,
    scope: 'openid email profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...Object.fromEntries(new URLSearchParams(RP_PARAMETERS || '')),
  });
  response.writeHead(303, { location: url.href }).end();
}

async function finish(url, response) {
  const config = await configured();
  const state = url.searchParams.get('state');
  const { verifier, nonce } = logins.get(state);
  logins.delete(state);
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
  const claims = tokens.claims();
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  answer(response, 200, { claims, userinfo, access_token: tokens.access_token, id_token: tokens.id_token });
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

http.createServer(async (request, response) => {
  const url = new URL(request.url, base);
  try {
    if (url.pathname === '/cb') await finish(url, response);
    else if (url.pathname === '/') await begin(response);
    else answer(response, 404, {});
  } catch (error) {
    answer(response, 400, { error: error.error ?? error.code ?? error.name, error_description: error.error_description ?? error.message });
  }
}).listen(Number(RP_PORT), '127.0.0.1');
