"""What a sync can miss, planted exactly: people change things at the CRMs, a sync reads them and its cursors go on, and then everything but the cursors
is put back as it was. And damage to the store itself, by SQL."""

import os
import shutil
import sqlite3


def path(world):
    return os.path.join(world.folder, "store.db")


def database(world):
    """As another program would write: nothing checks what points to what."""
    opened = sqlite3.connect(path(world))
    opened.execute("PRAGMA foreign_keys = OFF")
    return opened


def settle_file(world):
    with database(world) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()


def keep(world):
    settle_file(world)
    copy = path(world) + ".before"
    shutil.copyfile(path(world), copy)
    return copy


def an_hour_goes_by(world):
    """At the CRMs: what they show again because it is recent is no miss."""
    for crm in world.crms:
        world.sims.ask(crm, "/__sim/advance", {"ms": 3600000})


def forget(world, before):
    """The store as it was, but with the cursors of now."""
    settle_file(world)
    after = path(world) + ".after"
    os.replace(path(world), after)
    os.replace(before, path(world))
    for suffix in ("-wal", "-shm"):
        if os.path.exists(path(world) + suffix):
            os.unlink(path(world) + suffix)
    os.chmod(path(world), 0o600)
    opened = database(world)
    opened.execute("ATTACH ? AS after", (after,))
    with opened:
        opened.execute("DELETE FROM main.stream")
        opened.execute("INSERT INTO main.stream SELECT * FROM after.stream")
    opened.execute("DETACH after")
    opened.close()
    os.unlink(after)


def miss(world, change):
    """change(world) happens at the CRMs, and no sync will see it."""
    before = keep(world)
    change(world)
    an_hour_goes_by(world)
    world.sync("--pull")
    forget(world, before)


def links(world, connection, kind="contact"):
    """(link id, record id, remote id) of live links, by link id."""
    opened = database(world)
    rows = opened.execute(
        "SELECT l.id, l.record_id, l.remote_id FROM link l JOIN connection c ON c.id = l.connection_id "
        "WHERE c.name = ? AND l.kind = ? AND l.state = 0 ORDER BY l.id",
        (connection, kind),
    ).fetchall()
    opened.close()
    return rows


def damage(world, *statements):
    opened = database(world)
    with opened:
        for statement, values in statements:
            assert opened.execute(statement, values).rowcount > 0, statement
    opened.close()
