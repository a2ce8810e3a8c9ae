-- What a log is made of. `log.size` is the head that a writer compares and swaps; it is checked against the records.
CREATE TABLE log (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  size BIGINT NOT NULL
);
CREATE TABLE record (
  log TEXT COLLATE "C" NOT NULL REFERENCES log (id),
  seq BIGINT NOT NULL,
  bytes BYTEA NOT NULL,
  PRIMARY KEY (log, seq)
);
CREATE TABLE checkpoint (
  log TEXT COLLATE "C" NOT NULL REFERENCES log (id),
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (log, size)
);
