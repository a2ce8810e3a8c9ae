-- What lies beside the logs, all of it encrypted with the key file.
CREATE TABLE secret (
  log TEXT COLLATE "C" NOT NULL,
  seq BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (log, seq),
  FOREIGN KEY (log, seq) REFERENCES record (log, seq)
);
CREATE TABLE attachment (
  sha256 BYTEA NOT NULL PRIMARY KEY,
  sealed BYTEA NOT NULL
);
CREATE TABLE operational (
  kind TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (kind, key)
);
-- A known text under the key, so that a wrong key file is noticed at the start and not at the first secret.
CREATE TABLE key_check (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  sealed BYTEA NOT NULL
);
