// Kinde's own Management API client, unchanged, against the gateway: connections, applications, organizations, users,
// identities. It insists on https, so that a small TLS terminator stands in front of the gateway, in this process.
// Prints one JSON object: what the client saw.
import http from "node:http";
import https from "node:https";
import { readFileSync } from "node:fs";

const { GATEWAY_PORT, TLS_PORT, TLS_CERTIFICATE, TLS_KEY, IDP_METADATA, APPLICATION } = process.env;

const credentials = { cert: readFileSync(TLS_CERTIFICATE), key: readFileSync(TLS_KEY) };
let tokenRequests = 0;
const terminator = https.createServer(credentials, (request, response) => {
  tokenRequests += request.url === "/oauth2/token" ? 1 : 0;
  const { method, url: path, headers } = request;
  const inner = http.request({ host: "127.0.0.1", port: GATEWAY_PORT, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  request.pipe(inner);
});
await new Promise((listening) => terminator.listen(TLS_PORT, "127.0.0.1", listening));

const { Applications, ApiError, Connections, Identities, Organizations, Users, init } = await import("@kinde/management-api-js");
init(); // KINDE_DOMAIN, KINDE_MANAGEMENT_CLIENT_ID, KINDE_MANAGEMENT_CLIENT_SECRET

// What the client throws for a refusal: its status, and the codes in the answer.
const refused = async (call) => {
  try {
    return { answered: await call };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.status, codes: error.body.errors.map((one) => one.code) };
  }
};

const seen = {};

async function connections() {
  const created = await Connections.createConnection({
    requestBody: {
      name: "acme", display_name: "Acme", strategy: "saml:okta", enabled_applications: [APPLICATION],
      options: {
        home_realm_domains: ["@acme.test"], saml_idp_metadata_xml: IDP_METADATA, is_create_missing_user: true,
        protocol_binding: "HTTP-POST", name_id_format: "Email address", sign_request_algorithm: "RSA-SHA256",
      },
    },
  });
  const connectionId = created.connection.id;
  await Connections.createConnection({
    requestBody: {
      name: "other", display_name: "Other", strategy: "saml:custom", enabled_applications: [], organization_code: null, options: {},
    },
  });
  await Connections.updateConnection({ connectionId, requestBody: { display_name: "Acme Inc.", options: { is_trusted: true } } });
  const read = await Connections.getConnection({ connectionId });
  const first = await Connections.getConnections({ pageSize: 1 });
  const second = await Connections.getConnections({ pageSize: 1, startingAfter: first.connections[0].id });
  const routed = await Connections.getConnections({ homeRealmDomain: "acme.test" });
  await Connections.replaceConnection({
    connectionId,
    requestBody: { name: "acme", display_name: "Acme", options: { home_realm_domains: ["acme.test"], saml_idp_metadata_xml: IDP_METADATA, protocol_binding: "HTTP-POST" } },
  });
  const absent = await refused(Connections.getConnection({ connectionId: "conn_" + "0".repeat(32) }));
  const taken = await refused(Connections.createConnection({
    requestBody: { name: "x", strategy: "saml:custom", options: { home_realm_domains: ["acme.test"] } },
  }));
  seen.connections = {
    created: { code: created.code, status: created.connection.status }, read: read.connection.display_name,
    pages: [first.has_more, first.connections.length, second.has_more, second.connections[0].id === connectionId],
    routed: routed.connections.map((one) => one.id === connectionId),
    absent, taken, deleted: await refused(Connections.deleteConnection({ connectionId })),
  };
  return connectionId;
}

async function applications(connectionId) {
  const { application } = await Applications.createApplication({ requestBody: { name: "Shop", type: "reg" } });
  const applicationId = application.id;
  await Applications.updateApplication({
    applicationId,
    requestBody: { name: "The shop", redirect_uris: ["https://shop.test/cb"], logout_uris: ["https://shop.test/"], login_uri: "https://shop.test/login" },
  });
  const read = await Applications.getApplication({ applicationId });
  const list = await Applications.getApplications({ pageSize: 100 });
  await Applications.enableConnection({ applicationId, connectionId });
  const enabled = await Applications.getApplicationConnections({ applicationId });
  await Applications.removeConnection({ applicationId, connectionId });
  const disabled = await Applications.getApplicationConnections({ applicationId });
  const deleted = await Applications.deleteApplication({ applicationId });
  seen.applications = {
    secret: typeof application.client_secret, read: [read.application.name, read.application.type],
    listed: list.applications.some((one) => one.id === applicationId),
    enabled: enabled.connections.length, disabled: disabled.connections.length, deleted: deleted.code,
  };
}

async function organizations(connectionId) {
  const created = await Organizations.createOrganization({
    requestBody: { name: "Acme", external_id: "crm-1", handle: "acme", is_allow_registrations: true, is_auto_membership_enabled: true },
  });
  const orgCode = created.organization.code;
  await Organizations.updateOrganization({ orgCode, requestBody: { name: "Acme Inc." } });
  const read = await Organizations.getOrganization({ code: orgCode });
  const list = await Organizations.getOrganizations({ pageSize: 10 });
  await Organizations.enableOrgConnection({ organizationCode: orgCode, connectionId });
  const enabled = await Organizations.getOrganizationConnections({ organizationCode: orgCode });
  await Organizations.removeOrgConnection({ organizationCode: orgCode, connectionId });
  seen.organizations = {
    code: /^org_[0-9a-f]{11}$/.test(orgCode), read: [read.name, read.handle, read.external_id],
    listed: list.organizations.some((one) => one.code === orgCode), enabled: enabled.connections.length,
  };
  return orgCode;
}

async function users(connectionId, orgCode) {
  const profile = { given_name: "Ann", family_name: "Example" };
  const { id } = await Users.createUser({ requestBody: { profile, identities: [{ type: "email", details: { email: "ann@acme.test" } }] } });
  await Users.updateUser({ id, requestBody: { given_name: "Anna" } });
  const read = await Users.getUserData({ id });
  const list = await Users.getUsers({ email: "ann@acme.test" });
  await Organizations.addOrganizationUsers({ orgCode, requestBody: { users: [{ id }] } });
  const members = await Organizations.getOrganizationUsers({ orgCode });
  const created = await Users.createUserIdentity({
    userId: id, requestBody: { type: "enterprise", value: "ann@acme.test", connection_id: connectionId },
  });
  const identityId = created.identity.id;
  const identities = await Users.getUserIdentities({ userId: id });
  const identity = await Identities.getIdentity({ identityId });
  const deletedIdentity = await Identities.deleteIdentity({ identityId });
  await Organizations.removeOrganizationUser({ orgCode, userId: id });
  const deleted = await Users.deleteUser({ id });
  seen.users = {
    read: [read.first_name, read.last_name], listed: list.users.some((one) => one.id === id),
    member: members.organization_users.some((one) => one.id === id), deleted: deleted.code,
  };
  seen.identities = {
    listed: identities.identities.some((one) => one.id === identityId), type: identity.type, deleted: deletedIdentity.code,
  };
}

try {
  const connectionId = await connections();
  await applications(connectionId);
  const orgCode = await organizations(connectionId);
  if (process.env.USERS !== "no") await users(connectionId, orgCode);
  await Organizations.deleteOrganization({ orgCode });
  seen.tokenRequests = tokenRequests;
} catch (error) {
  seen.failed = { message: error.message, url: error.url, body: error.body };
}
console.log(JSON.stringify(seen));
terminator.close();
terminator.closeAllConnections();
