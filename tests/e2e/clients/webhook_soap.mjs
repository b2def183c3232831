// The npm package soap delivers an outbound message, built by itself from a WSDL, and reads the acknowledgement.
import assert from "node:assert/strict";
import soap from "soap";

const { WSDL, WEBHOOK_URL, ORGANIZATION, CONTACT } = process.env;
assert.ok(WSDL && WEBHOOK_URL && ORGANIZATION && CONTACT, "WSDL, WEBHOOK_URL, ORGANIZATION and CONTACT have to be set");
let checks = 0;

function message(organization, ids) {
  return {
    OrganizationId: organization,
    ActionId: "04k8d00000AcT01AAF",
    SessionId: "",
    EnterpriseUrl: "https://example.my.salesforce.com/services/Soap/c/66.0/00D8d000000XyZ9",
    PartnerUrl: "https://example.my.salesforce.com/services/Soap/u/66.0/00D8d000000XyZ9",
    Notification: ids.map((id, index) => ({
      Id: `04l8d00000${String(index).padStart(5, "0")}AAA`,
      sObject: {
        attributes: { xsi_type: { type: "Contact", xmlns: "urn:sobject.enterprise.soap.sforce.com", prefix: "sf" } },
        Id: id,
        Email: 'a&b<"\'>@example.com',
        LastName: "Żółć ✓ ]]>",
        CreatedDate: "2026-07-27T10:00:00.000Z",
        LastModifiedDate: "2026-07-27T10:00:02.000Z",
      },
    })),
  };
}

async function deliver(organization, ids) {
  const client = await soap.createClientAsync(WSDL, { endpoint: WEBHOOK_URL });
  const [result] = await client.notificationsAsync(message(organization, ids));
  return { ack: result.Ack, sent: client.lastRequest };
}

const first = await deliver(ORGANIZATION, [CONTACT]);
assert.match(first.sent, /<soap:Envelope/);
assert.equal(first.ack, true);
checks++;

const hundred = await deliver(ORGANIZATION, Array(100).fill(CONTACT));
assert.equal(hundred.ack, true);
checks++;

// Somebody else's organization is refused, and not acknowledged.
await assert.rejects(deliver("00D000000000001AAA", [CONTACT]), (error) => error.response?.status === 401);
checks++;

console.log(`${checks} checks passed`);
