-- Every statement of the stores in SQLite, each under its name: "--- name".
--
-- Times are whole microseconds since 1970 in UTC (exact, and ordered as numbers); `offset` is the source's own zone in
-- minutes; prices are text, digit for digit as the source wrote them. Words in braces are filled in by sqlite.py.

-- The tables of history: one migration a version, of which `PRAGMA user_version` says how many were applied.

--- history 1
CREATE TABLE quotes (
    symbol TEXT NOT NULL, source TEXT NOT NULL, as_of INTEGER NOT NULL, revision INTEGER NOT NULL,
    price TEXT NOT NULL, price_type TEXT NOT NULL, publisher TEXT NOT NULL,
    offset INTEGER NOT NULL, day TEXT NOT NULL,
    fetched_at INTEGER NOT NULL, seen_at INTEGER NOT NULL,
    previous TEXT, previous_as_of TEXT, contract TEXT, archived INTEGER NOT NULL,
    PRIMARY KEY (symbol, source, as_of, revision)
) WITHOUT ROWID;
CREATE INDEX quotes_by_time ON quotes (symbol, as_of);
CREATE TABLE saved (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;

--- history 2
CREATE TABLE entries (
    kind TEXT NOT NULL, symbol TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, text BLOB NOT NULL,
    PRIMARY KEY (kind, symbol, id)
) WITHOUT ROWID;
CREATE INDEX entries_by_time ON entries (kind, symbol, at);

--- shared 1
-- What replicas share is of the moment: a row of it that is lost is told again within a second.
CREATE TABLE leases (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, fence INTEGER NOT NULL, ends REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE replicas (
    name TEXT NOT NULL, holder TEXT NOT NULL, ends REAL NOT NULL, PRIMARY KEY (name, holder)
) WITHOUT ROWID;
CREATE TABLE editions (
    name TEXT NOT NULL, part TEXT NOT NULL, version INTEGER NOT NULL, fence INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (name, part)
);

--- lease
SELECT holder, fence, ends FROM leases WHERE name = ?

--- hold
INSERT INTO leases VALUES (?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, ends = excluded.ends

--- live
INSERT INTO replicas VALUES (?, ?, ?) ON CONFLICT (name, holder) DO UPDATE SET ends = excluded.ends

--- part
DELETE FROM replicas WHERE name = ? AND holder = ?

--- bury
-- A clock that was set back must not keep anybody alive for longer than the time it was given.
DELETE FROM replicas WHERE name = ? AND (ends <= ? OR ends > ?)

--- edition
SELECT version FROM editions WHERE name = ? AND part = ?

--- publish
INSERT INTO editions VALUES (?, ?, ?, ?, ?)
ON CONFLICT (name, part) DO UPDATE SET version = excluded.version, fence = excluded.fence, text = excluded.text

--- newer
SELECT part, version, fence, text FROM editions JOIN json_each(:known) AS known ON known.key = part
WHERE name = :name AND version > known.value

--- entries
SELECT id, at, text FROM entries WHERE kind = :kind AND symbol = :symbol AND at BETWEEN :first AND :until
ORDER BY at DESC, id DESC LIMIT :limit

--- forget entries
DELETE FROM entries WHERE kind = :kind AND at < :before AND symbol IN (SELECT value FROM json_each(:symbols))

--- insert
INSERT INTO quotes (symbol, source, as_of, revision, price, price_type, publisher, offset, day, fetched_at,
    seen_at, previous, previous_as_of, contract, archived)
VALUES (:symbol, :source, :as_of, :revision, :price, :price_type, :publisher, :offset, :day, :fetched_at,
    :seen_at, :previous, :previous_as_of, :contract, :archived)

--- revisions
SELECT revision, price, price_type, seen_at, fetched_at FROM quotes
WHERE symbol = :symbol AND source = :source AND as_of = :as_of ORDER BY revision

--- lift
UPDATE quotes SET revision = revision + 1
WHERE symbol = :symbol AND source = :source AND as_of = :as_of AND revision = :revision

--- seen earlier
UPDATE quotes SET seen_at = :seen_at
WHERE symbol = :symbol AND source = :source AND as_of = :as_of AND revision = :revision

--- save
INSERT INTO saved VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text

--- packed
-- All of an answer as one row of JSON: between two rows a reader lets go of Python's lock and waits for it again.
SELECT json_group_array(json_array({columns})) FROM ({query})

--- in force
-- For each of the keys, a list of [symbol, source], the newest row that is in force and the one before it; of each the
-- last revision that was. Every step is one descent of the primary key.
WITH
asked (symbol, source) AS MATERIALIZED (
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:keys)),
newest (symbol, source, as_of) AS MATERIALIZED (
    SELECT symbol, source, (SELECT q.as_of FROM quotes AS q WHERE q.symbol = asked.symbol
        AND q.source = asked.source AND q.as_of < :bound AND {seen} ORDER BY q.as_of DESC LIMIT 1) FROM asked),
before (symbol, source, as_of) AS MATERIALIZED (
    SELECT symbol, source, (SELECT q.as_of FROM quotes AS q WHERE q.symbol = newest.symbol
        AND q.source = newest.source AND q.as_of < newest.as_of AND {seen} ORDER BY q.as_of DESC LIMIT 1)
    FROM newest)
SELECT r.* FROM (SELECT * FROM newest UNION ALL SELECT * FROM before) AS found CROSS JOIN quotes AS r
WHERE r.symbol = found.symbol AND r.source = found.source AND r.as_of = found.as_of
AND r.revision = (SELECT max(q.revision) FROM quotes AS q
    WHERE q.symbol = found.symbol AND q.source = found.source AND q.as_of = found.as_of AND {seen})

--- raw
-- Of one source every row in force, which is the last revision. A branch for each source, the preferred first, joined by
-- time; `unsaid` leaves out what a preferred source tells of the same moment, and out of an archive of the same day.
SELECT {columns} FROM quotes AS q
WHERE q.symbol = :symbol AND q.source = :source{place} AND q.as_of >= :first AND q.as_of < :end
AND NOT EXISTS (SELECT 1 FROM quotes AS n WHERE n.symbol = :symbol AND n.source = :source{place}
    AND n.as_of = q.as_of AND n.revision > q.revision)
{unsaid}

--- unsaid
AND NOT EXISTS (SELECT 1 FROM quotes AS b WHERE b.symbol = :symbol AND b.source = :source{place} AND b.as_of BETWEEN
    CASE q.archived WHEN 1 THEN (q.as_of + :offset) / :day * :day - :offset ELSE q.as_of END
    AND CASE q.archived WHEN 1 THEN (q.as_of + :offset) / :day * :day - :offset + :day - 1 ELSE q.as_of END)

--- sampled
-- The last row of each stretch that has one: hops from stretch to stretch over the primary key, source by source, so
-- that the cost is that of the rows given and not of the rows passed over; of each stretch the preferred source speaks.
WITH RECURSIVE
firsts (place, source, number, as_of) AS (
    SELECT key, value, 1, (SELECT min(as_of) FROM quotes
        WHERE symbol = :symbol AND source = value AND as_of >= :first AND as_of < :end)
    FROM json_each(:sources)
    UNION ALL
    SELECT place, source, number + 1, (SELECT min(as_of) FROM quotes WHERE symbol = :symbol
        AND source = firsts.source AND as_of < :end
        AND as_of >= ((firsts.as_of + :offset) / :every + 1) * :every - :offset)
    FROM firsts WHERE as_of IS NOT NULL AND number < :limit
),
spoken (ends, source, place) AS MATERIALIZED (
    SELECT ((as_of + :offset) / :every + 1) * :every - :offset AS ends, source, min(place) FROM firsts
    WHERE as_of IS NOT NULL GROUP BY ends ORDER BY ends LIMIT :limit
)
SELECT json_group_array(json((SELECT json_array({point}) FROM quotes
    WHERE symbol = :symbol AND source = spoken.source AND as_of < min(ends, :end)
    ORDER BY as_of DESC, revision DESC LIMIT 1))) FROM spoken

--- thin
DELETE FROM quotes WHERE price_type <> 'fixing' AND as_of < :before AND EXISTS (
    SELECT 1 FROM quotes AS later
    WHERE later.symbol = quotes.symbol AND later.source = quotes.source
    AND later.as_of > quotes.as_of AND later.as_of < (quotes.as_of / :every + 1) * :every)

--- forget
DELETE FROM quotes WHERE as_of < :before
