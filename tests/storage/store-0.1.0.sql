-- A store as version 0.1.0 left it (commit 58bd077), over the tests' own invented upstream.
CREATE TABLE quotes (
        symbol TEXT NOT NULL, source TEXT NOT NULL, as_of INTEGER NOT NULL, revision INTEGER NOT NULL,
        price TEXT NOT NULL, price_type TEXT NOT NULL, publisher TEXT NOT NULL,
        offset INTEGER NOT NULL, day TEXT NOT NULL,
        fetched_at INTEGER NOT NULL, seen_at INTEGER NOT NULL,
        previous TEXT, previous_as_of TEXT, contract TEXT, archived INTEGER NOT NULL,
        PRIMARY KEY (symbol, source, as_of, revision)
    ) WITHOUT ROWID;
INSERT INTO "quotes" VALUES('EUR','cbr',1732222800000000,0,'106.0762','fixing','cbr',180,'2024-11-22',1732266000500741,1732266000500741,NULL,NULL,NULL,0);
INSERT INTO "quotes" VALUES('OIL','moex',1732265100000000,0,'73.73','last','moex',180,'2024-11-22',1732266000523763,1732266000523763,'72.81','2024-11-21T23:50:00+03:00','BRZ4',0);
INSERT INTO "quotes" VALUES('USD','cbr',1732222800000000,0,'100.6798','fixing','cbr',180,'2024-11-22',1732266000500741,1732266000500741,NULL,NULL,NULL,0);
CREATE TABLE saved (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX quotes_by_time ON quotes (symbol, as_of);
PRAGMA user_version = 1;
PRAGMA application_id = 1414087499;
