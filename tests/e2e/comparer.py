"""The independent comparer of all kinds. It reads the simulators page by page through the CRMs' public APIs, normalises with code of its own, and
compares record by record. From crmsync it takes only which objects are linked (`records list --json`)."""

import decimal
import html
import itertools
import json
import re
import urllib.parse
import urllib.request

KINDS = ("company", "contact", "deal", "activity")
HUBSPOT_STAGES = {
    "appointmentscheduled": "qualified",
    "qualifiedtobuy": "contact made",
    "presentationscheduled": "demo scheduled",
    "decisionmakerboughtin": "proposal made",
    "contractsent": "negotiations started",
}
HUBSPOT_CLOSED = {"closedwon": "won", "closedlost": "lost"}
# type: (subject, text)
HUBSPOT_ACTIVITIES = {
    "call": ("hs_call_title", "hs_call_body"),
    "email": ("hs_email_subject", "hs_email_html"),
    "meeting": ("hs_meeting_title", "hs_meeting_body"),
    "note": (None, "hs_note_body"),
    "task": ("hs_task_subject", "hs_task_body"),
}
PIPEDRIVE_TYPES = {"lunch": "meeting", "deadline": "task"}


# --- plain values ---------------------------------------------------------------------------------------------------------------


def text(value):
    return (value or "").strip()


def digits(value):
    return re.sub(r"\D", "", value or "").lstrip("0")


def amount(value):
    if value in (None, ""):
        return None
    return str(decimal.Decimal(str(value)).normalize() + 0)


def reading(markup):
    """The text that people see of a body."""
    markup = re.sub(r"</?(b|i|em|strong|a|span|u)\b[^>]*>", "", markup or "")
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def minute(value):
    """Pipedrive's activities know no seconds."""
    return value[:16].replace(" ", "T") if value else None


def primary(items):
    items = [item for item in items or [] if item.get("value")]
    return next((item["value"] for item in items if item.get("primary")), items[0]["value"] if items else "")


# --- reading ----------------------------------------------------------------------------------------------------------------------


class Reader:
    def __init__(self, world, crm):
        self.base, self.token = world.sims.url(crm), world.sims.token(crm)

    def get(self, path, **query):
        url = self.base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


class Hubspot(Reader):
    """remote id: normalised fields; references are remote ids."""

    name = "hubspot"

    def __init__(self, world):
        super().__init__(world, "hubspot")
        self.owners = {row["id"]: row["email"].lower() for archived in ("false", "true") for row in self.rows_of_owners(archived)}
        self.users = {row["email"].lower() for row in self.rows_of_owners("false")}

    def rows_of_owners(self, archived):
        return self.get("/crm/v3/owners", limit=100, archived=archived)["results"]

    def objects(self, word, properties, associations=""):
        more = {"associations": associations} if associations else {}
        after = {}
        while True:
            page = self.get(f"/crm/v3/objects/{word}", limit=100, properties=",".join(properties), **more, **after)
            yield from page["results"]
            if not page.get("paging", {}).get("next"):
                return
            after = {"after": page["paging"]["next"]["after"]}

    @staticmethod
    def linked(row, word):
        return (row.get("associations", {}).get(word) or {}).get("results", [])

    def contacts_of(self, row):
        return sorted({link["id"] for link in self.linked(row, "contacts")})

    def company_of(self, row):
        links = self.linked(row, "companies")
        first = [link["id"] for link in links if not link["type"].endswith("_unlabeled")] or [link["id"] for link in links]
        return min(first, key=int) if first else None

    def deal_of(self, row):
        return min((link["id"] for link in self.linked(row, "deals")), key=int, default=None)

    def company(self):
        for row in self.objects("companies", ("name",)):
            yield row["id"], {"name": text(row["properties"]["name"])}

    def contact(self):
        for row in self.objects("contacts", ("email", "firstname", "lastname", "phone"), "companies"):
            fields = row["properties"]
            yield row["id"], {
                "email": text(fields["email"]).lower(),
                "first_name": text(fields["firstname"]),
                "last_name": text(fields["lastname"]),
                "phone": digits(fields["phone"]),
                "company": self.company_of(row),
            }

    def deal(self):
        names = ("dealname", "amount", "deal_currency_code", "dealstage", "pipeline", "closedate", "hubspot_owner_id")
        for row in self.objects("deals", names, "contacts,companies"):
            fields = row["properties"]
            yield row["id"], {
                "name": text(fields["dealname"]),
                "amount": amount(fields["amount"]),
                "currency": fields["deal_currency_code"],
                "status": HUBSPOT_CLOSED.get(fields["dealstage"], "open"),
                "stage": HUBSPOT_STAGES.get(fields["dealstage"], fields["dealstage"]),
                "close_date": (fields["closedate"] or "")[:10] or None,
                "contacts": self.contacts_of(row),
                "company": self.company_of(row),
                "owner": self.owners.get(fields["hubspot_owner_id"]),
            }

    def activity(self):
        for kind, (subject, body) in HUBSPOT_ACTIVITIES.items():
            names = [name for name in (subject, body, "hs_timestamp", "hs_task_status", "hubspot_owner_id") if name]
            for row in self.objects(kind + "s", names, "contacts,companies,deals"):
                fields = row["properties"]
                yield f"{kind}s:{row['id']}", {
                    "type": kind,
                    "subject": text(fields.get(subject)) if subject else None,
                    "body": reading(fields[body]),
                    "time": minute(fields["hs_timestamp"]),
                    "done": fields["hs_task_status"] == "COMPLETED" if kind == "task" else None,
                    "contacts": self.contacts_of(row),
                    "company": self.company_of(row),
                    "deal": self.deal_of(row),
                    "owner": self.owners.get(fields["hubspot_owner_id"]),
                }


def as_id(value):
    return None if value is None else str(value)


class Pipedrive(Reader):
    name = "pipedrive"

    def __init__(self, world):
        super().__init__(world, "pipedrive")
        rows = self.get("/api/v1/users")["data"]
        self.owners = {row["id"]: row["email"].lower() for row in rows}
        self.users = {row["email"].lower() for row in rows if row["active_flag"]}
        self.stages = {row["id"]: row["name"].lower() for row in self.pages("/api/v2/stages")}

    def pages(self, path, **query):
        cursor = {}
        while True:
            page = self.get(path, limit=500, **query, **cursor)
            yield from (row for row in page["data"] if not row.get("is_deleted"))
            if not (page.get("additional_data") or {}).get("next_cursor"):
                return
            cursor = {"cursor": page["additional_data"]["next_cursor"]}

    def company(self):
        for row in self.pages("/api/v2/organizations"):
            yield str(row["id"]), {"name": text(row["name"])}

    def contact(self):
        for row in self.pages("/api/v2/persons"):
            yield str(row["id"]), {
                "email": text(primary(row["emails"])).lower(),
                "first_name": text(row["first_name"]),
                "last_name": text(row["last_name"]),
                "phone": digits(primary(row["phones"])),
                "company": as_id(row["org_id"]),
            }

    def people_of_deal(self, row):
        people = {row["person_id"]} if row["person_id"] else set()
        start = 0
        while True:
            page = self.get(f"/v1/deals/{row['id']}/participants", start=start, limit=500)
            people |= {participant["person_id"]["value"] if isinstance(participant["person_id"], dict) else participant["person_id"] for participant in page["data"] or []}
            pagination = (page.get("additional_data") or {}).get("pagination") or {}
            if not pagination.get("more_items_in_collection"):
                return sorted(str(person) for person in people)
            start = pagination["next_start"]

    def deal(self):
        for path in ("/api/v2/deals", "/api/v2/deals/archived"):
            for row in self.pages(path):
                yield str(row["id"]), {
                    "name": text(row["title"]),
                    "amount": amount(row["value"]),
                    "currency": row["currency"],
                    "status": row["status"],
                    "stage": self.stages.get(row["stage_id"]),
                    "close_date": row["expected_close_date"],
                    "contacts": self.people_of_deal(row),
                    "company": as_id(row["org_id"]),
                    "owner": self.owners.get(row["owner_id"]),
                }

    def activity(self):
        for row in self.pages("/api/v2/activities"):
            kind = PIPEDRIVE_TYPES.get(row["type"], row["type"])
            yield f"activity:{row['id']}", {
                "type": kind,
                "subject": text(row["subject"]),
                "body": reading(row["note"]),
                "time": minute(f"{row['due_date']}T{row['due_time'] or '00:00'}" if row["due_date"] else None),
                "done": row["done"] if kind == "task" else None,
                "contacts": sorted(str(participant["person_id"]) for participant in row["participants"] or []),
                "company": as_id(row["org_id"]),
                "deal": as_id(row["deal_id"]),
                "owner": self.owners.get(row["owner_id"]),
            }
        yield from self.notes()

    def notes(self):
        start = 0
        while True:
            page = self.get("/v1/notes", start=start, limit=500)
            for row in page["data"] or []:
                yield f"note:{row['id']}", {
                    "type": "note",
                    "subject": None,
                    "body": reading(row["content"]),
                    "time": minute(row["add_time"]),
                    "done": None,
                    "contacts": [str(row["person_id"])] if row["person_id"] else [],
                    "company": as_id(row["org_id"]),
                    "deal": as_id(row["deal_id"]),
                    "owner": self.owners.get(row["user_id"]),
                }
            pagination = page["additional_data"]["pagination"]
            if not pagination["more_items_in_collection"]:
                return
            start = pagination["next_start"]


SALESFORCE_STAGES = {
    "Prospecting": "qualified",
    "Qualification": "qualified",
    "Needs Analysis": "contact made",
    "Value Proposition": "demo scheduled",
    "Id. Decision Makers": "demo scheduled",
    "Perception Analysis": "proposal made",
    "Proposal/Price Quote": "proposal made",
    "Negotiation/Review": "negotiations started",
}
SALESFORCE_BLANK = "[not provided]"


def plain(value):
    return " ".join((value or "").split())


class Salesforce(Reader):
    name = "salesforce"

    def __init__(self, world):
        super().__init__(world, "salesforce")
        own = self.get("/services/oauth2/userinfo")["user_id"]  # what nobody was given is whose it was made by: nobody's
        users = [row for row in self.query("SELECT Id, Email, IsActive FROM User") if row["Id"] != own]
        self.owners = {row["Id"]: row["Email"].lower() for row in users}
        self.users = {row["Email"].lower() for row in users if row["IsActive"]}

    def query(self, soql):
        page = self.get("/services/data/v66.0/query", q=soql)
        while True:
            yield from page["records"]
            if page["done"]:
                return
            page = self.get(page["nextRecordsUrl"])

    def company(self):
        for row in self.query("SELECT Id, Name FROM Account"):
            yield row["Id"], {"name": text(row["Name"]).replace(SALESFORCE_BLANK, "")}

    def contact(self):
        for row in self.query("SELECT Id, Email, FirstName, LastName, Phone, AccountId FROM Contact"):
            yield row["Id"], {
                "email": text(row["Email"]).lower(),
                "first_name": text(row["FirstName"]),
                "last_name": text(row["LastName"]).replace(SALESFORCE_BLANK, ""),
                "phone": digits(row["Phone"]),
                "company": row["AccountId"],
            }

    def deal(self):
        people = {}
        for row in self.query("SELECT OpportunityId, ContactId FROM OpportunityContactRole"):
            people.setdefault(row["OpportunityId"], set()).add(row["ContactId"])
        for row in self.query("SELECT Id, Name, Amount, StageName, IsClosed, IsWon, CloseDate, AccountId, OwnerId FROM Opportunity"):
            yield row["Id"], {
                "name": text(row["Name"]).replace(SALESFORCE_BLANK, ""),
                "amount": amount(row["Amount"]),
                "currency": None,
                "status": "won" if row["IsWon"] else "lost" if row["IsClosed"] else "open",
                "stage": SALESFORCE_STAGES.get(row["StageName"], row["StageName"]),
                "close_date": row["CloseDate"],
                "contacts": sorted(people.get(row["Id"], ())),
                "company": row["AccountId"],
                "owner": self.owners.get(row["OwnerId"]),
            }

    def about(self, row):
        """Of an activity: (company, deal)."""
        what = row["WhatId"] or ""
        return (what if what.startswith("001") else None, what if what.startswith("006") else None)

    def activity(self):
        for row in self.query("SELECT Id, Subject, Description, ActivityDate, Type, TaskSubtype, IsClosed, WhoId, WhatId, OwnerId FROM Task"):
            kind = {"Call": "call", "Email": "email"}.get(row["TaskSubtype"]) or {"Call": "call", "Email": "email", "Note": "note"}.get(row["Type"], "task")
            yield row["Id"], self.one(row, kind, row["ActivityDate"], row["IsClosed"] if kind == "task" else None)
        for row in self.query("SELECT Id, Subject, Description, StartDateTime, WhoId, WhatId, OwnerId FROM Event"):
            yield row["Id"], self.one(row, "meeting", minute(row["StartDateTime"]), None)

    def one(self, row, kind, when, done):
        company, deal = self.about(row)
        return {
            "type": kind,
            "subject": text(row["Subject"]) if kind != "note" else None,
            "body": plain(row["Description"]),
            "time": when,
            "done": done,
            "contacts": [row["WhoId"]] if row["WhoId"] else [],
            "company": company,
            "deal": deal,
            "owner": self.owners.get(row["OwnerId"]),
        }


# --- comparing --------------------------------------------------------------------------------------------------------------------

REFERENCES = {"company": "company", "deal": "deal", "contacts": "contact"}


class Links:
    """Which objects are the same thing, by kind, connection and remote id."""

    def __init__(self, world, kinds):
        self.of = {}
        self.records = {}
        for kind in kinds:
            self.records[kind] = world.json("records", "list", kind, "--limit", "1000000")
            for record in self.records[kind]:
                for link in record["links"]:
                    if link["state"] == "live":
                        self.of[kind, link["connection"], link["remote_id"]] = record["id"]

    def follow(self, fields, connection, there):
        """References as record ids. To an object that is deleted there means none; one that is not linked stays what it is, and so differs."""

        def alive(kind, remote_id):
            return kind not in there or remote_id in there[kind]

        for name, kind in REFERENCES.items():
            if isinstance(fields.get(name), list):
                living = (i for i in fields[name] if alive(kind, i))
                fields[name] = sorted(self.of.get((kind, connection, i), f"{connection} {i}") for i in living)
            elif fields.get(name) is not None:
                i = fields[name]
                fields[name] = self.of.get((kind, connection, i), f"{connection} {i}") if alive(kind, i) else None


def is_same_time(one, other):
    """Salesforce's tasks have a day and no time."""
    short = min(len(one), len(other)) if one and other else 0
    return one == other or (short == 10 and one[:short] == other[:short])


def is_beyond(kind, name, one, other):
    """What one of two CRMs cannot hold: they need not agree on it. one and other: (name of the CRM, fields)."""
    pair = {one[0]: one[1], other[0]: other[1]}
    if kind == "deal" and name == "stage":
        return one[1]["status"] != "open"  # a closed deal is in no stage at HubSpot and Salesforce
    if "salesforce" not in pair:
        return False
    there = pair.pop("salesforce")
    (elsewhere,) = pair.values()
    if kind == "deal":
        return name == "currency" or (name == "close_date" and elsewhere[name] is None)
    if kind == "activity":
        return (
            (name == "time" and is_same_time(there[name], elsewhere[name]))
            or (name == "contacts" and len(there[name]) == 1 and there[name][0] in elsewhere[name])
            or (name == "company" and there["deal"] is not None)
        )
    return False


def differing(kind, one, other, users):
    """Names of the fields in which the two sides differ, as far as both can hold the value. one and other: (name of the CRM, fields)."""
    names = [name for name in one[1] if one[1][name] != other[1][name] and not is_beyond(kind, name, one, other)]
    if one[1].get("owner") not in users[other[0]] and other[1].get("owner") not in users[one[0]]:
        names = [name for name in names if name != "owner"]  # neither is known at the other CRM
    return names


def differences_of(kind, seen, users):
    """{field: values by CRM} where any two CRMs differ."""
    names = set()
    for one, other in itertools.combinations(seen.items(), 2):
        names |= set(differing(kind, one, other, users))
    return {name: {crm: fields[name] for crm, fields in seen.items()} for name in sorted(names)}


def compare_kind(kind, links, sides, users, differences):
    left = {name: dict(there[kind]) for name, there in sides.items()}
    agreeing = 0
    for record in links.records[kind]:
        ids = {link["connection"]: link["remote_id"] for link in record["links"] if link["state"] == "live"}
        seen = {name: left[name].pop(ids.get(name), None) for name in left}
        if None in seen.values():
            differences.append((kind, record["id"], "not at all of them", ids))
            continue
        unequal = differences_of(kind, seen, users)
        if unequal:
            differences.append((kind, record["id"], ids, unequal))
        else:
            agreeing += 1
    for name, rest in left.items():
        differences += [(kind, "no record", name, object_id, fields) for object_id, fields in rest.items()]
    return agreeing


READERS = {"hubspot": Hubspot, "pipedrive": Pipedrive, "salesforce": Salesforce}


def compare_kinds(world, kinds=KINDS):
    """({kind: records that agree at all CRMs}, differences)"""
    links = Links(world, kinds)
    readers = [READERS[crm](world) for crm in world.crms]
    sides = {reader.name: {kind: dict(getattr(reader, kind)()) for kind in kinds} for reader in readers}
    for name, there in sides.items():
        for kind in kinds:
            for fields in there[kind].values():
                links.follow(fields, name, there)
    users = {reader.name: reader.users for reader in readers}
    differences = []
    agreeing = {kind: compare_kind(kind, links, sides, users, differences) for kind in kinds}
    return agreeing, differences
