// panva's oidc-provider as an upstream OpenID Provider for one test. Prints nothing; listens on 127.0.0.1:PORT.
import Provider from 'oidc-provider';

const { OP_PORT, OP_CLIENT_ID, OP_CLIENT_SECRET, OP_REDIRECT_URI, OP_CLIENT_AUTH, OP_OFFERS } = process.env;
const authentication = OP_CLIENT_AUTH || 'client_secret_basic';
// A client of a method with keys needs some: of a pair that nobody has the other half of.
const jwks = { keys: [{ kty: 'EC', crv: 'P-256', x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0' }] };
const issuer = `http://127.0.0.1:${OP_PORT}`;

const people = {
  bob: { email: 'bob@globex.test', email_verified: true, given_name: 'Bob', family_name: 'Globex', name: 'Bob Globex' },
  dora: { email: 'dora@globex.test', email_verified: false, name: 'Dora' },
};

const provider = new Provider(issuer, {
  clients: [{
    client_id: OP_CLIENT_ID,
    ...(authentication === 'private_key_jwt' ? { jwks } : { client_secret: OP_CLIENT_SECRET }),
    redirect_uris: [OP_REDIRECT_URI],
    token_endpoint_auth_method: authentication,
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name', 'name'] },
  conformIdTokenClaims: true,
  ...(OP_OFFERS && { clientAuthMethods: OP_OFFERS.split(' ') }),
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  findAccount: async (_context, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
  cookies: { keys: ['only-for-tests'] },
  ttl: { Session: 600, Interaction: 600, Grant: 600 },
});

provider.listen(Number(OP_PORT), '127.0.0.1');
