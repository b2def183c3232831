"""Webhook deliveries as the CRMs make them, good and bad, and a service that receives them. Signatures are made here once more, not by the product."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import sqlite3
import subprocess
import time

import world

PUBLIC_URL = "https://crm.example"
SECRETS = {"HS_SECRET": "hubspot-app-secret", "PD_PATH": "pipedrive-path-2f9c", "PD_PASSWORD": "pipedrive-password", "SF_PATH": "salesforce-path-77aa"}
PATHS = {
    "hubspot": "/api/crm/webhooks/hubspot",
    "pipedrive": "/api/crm/webhooks/pipedrive/" + SECRETS["PD_PATH"],
    "salesforce": "/api/crm/webhooks/salesforce/" + SECRETS["SF_PATH"],
}
JSON = "application/json"
XML = "text/xml; charset=UTF-8"


def hubspot_event(number, **more):
    event = {
        "eventId": number,
        "subscriptionId": 7102,
        "portalId": 4242,
        "appId": 9001,
        "occurredAt": 1767225600000 + number,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": number,
        "propertyName": "phone",
        "propertyValue": "+31 20 555 0100",
        "changeSource": "CRM_UI",
    }
    return {**event, **more}


def hubspot_signed(body, at_ms=None, secret=SECRETS["HS_SECRET"], path=PATHS["hubspot"], method="POST"):
    when = str(int(time.time() * 1000) if at_ms is None else at_ms)
    mac = hmac.new(secret.encode(), (method + PUBLIC_URL + path).encode() + body + when.encode(), hashlib.sha256).digest()
    return {"Content-Type": JSON, "X-HubSpot-Request-Timestamp": when, "X-HubSpot-Signature-v3": base64.b64encode(mac).decode()}


def basic(user="crmsync", password=SECRETS["PD_PASSWORD"]):
    return {"Content-Type": JSON, "Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def fixture(crm, name):
    with open(os.path.join(world.ROOT, "tests", "fixtures", crm, name), "rb") as file:
        return file.read()


class Service:
    """`crmsync serve` with webhooks of all three CRMs."""

    CONFIG = f"""public_url: {PUBLIC_URL}
service: {{listen: "127.0.0.1:0"}}
"""

    def __init__(self, rate="none"):
        self.world = world.World(
            crms=world.THREE,
            hubspot_more=f"webhooks: {{secret: '${{HS_SECRET}}', rate: {rate}}}",
            pipedrive_more="webhooks: {path_secret: '${PD_PATH}', password: '${PD_PASSWORD}', rate: none}",
            salesforce_more="webhooks: {path_secret: '${SF_PATH}', rate: none}",
            more=self.CONFIG,
            init=False,
        )
        self.world.env.update(SECRETS)
        self.world.run("init", expect=0)
        self.world.run("sync", expect=(0, 3, 4))  # so that the organization is known
        self.process = None
        self.start()

    def start(self):
        self.log = open(os.path.join(self.world.folder, "serve.log"), "ab")
        self.process = subprocess.Popen(
            [world.BINARY, "serve", "--verbose"], cwd=self.world.folder, env=self.world.env, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        found = re.search(r"127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        assert found, open(self.log.name).read()
        self.port = int(found.group(1))

    def end(self, by="terminate"):
        getattr(self.process, by)()
        code = self.process.wait(30)
        self.process.stdout.close()
        self.log.close()
        return code

    def close(self):
        if self.process.poll() is None:
            self.end()
        self.world.close()

    def post(self, path, body, headers, method="POST", source=None):
        """Status, body and headers of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(source, 0) if source else None)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text.decode(), dict(answer.getheaders())

    def raw(self, data, until_closed=True, seconds=20):
        """What comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as dialled:
            try:
                dialled.sendall(data)
                dialled.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # refused before the end
            got = b""
            try:
                while chunk := dialled.recv(65536):
                    got += chunk
            except ConnectionResetError:
                pass
            return got

    def query(self, sql, *values):
        database = sqlite3.connect("file:" + os.path.join(self.world.folder, "store.db") + "?mode=ro", uri=True, timeout=30)
        rows = database.execute(sql, values).fetchall()
        database.close()
        return rows

    def account(self, crm):
        return self.query("SELECT account_id FROM connection WHERE name = ?", crm)[0][0]

    def inbox(self, crm):
        rows = self.query("SELECT i.remote_id FROM inbox i JOIN connection c ON c.id = i.connection_id WHERE c.name = ?", crm)
        return [row[0] for row in rows]

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def outbound_message(organization, ids, entity="", prolog=""):
    notifications = "".join(
        f'<Notification><Id>04l{number:015d}</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{remote_id}</sf:Id><sf:LastModifiedDate>2026-07-27T09:58:41.000Z</sf:LastModifiedDate><sf:LastName>N{entity}</sf:LastName>"
        "</sObject></Notification>"
        for number, remote_id in enumerate(ids)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId><ActionId>04k000000000001</ActionId><SessionId xsi:nil=\"true\"/>{notifications}"
        "</notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()


def dumps(value):
    return json.dumps(value).encode()
