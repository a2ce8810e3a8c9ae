-- Files that arrive in pieces. A piece is encrypted by itself and bound to its file, its first byte and the size of the whole.
CREATE TABLE piece (
  file TEXT COLLATE "C" NOT NULL,
  start BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (file, start)
);
-- The attachments that are such files; those in `attachment` are sealed whole. `sealed` names file and size once more,
-- bound to the hash, so that no attachment can be given the pieces of another one.
CREATE TABLE attachment_file (
  sha256 BYTEA NOT NULL PRIMARY KEY,
  file TEXT COLLATE "C" NOT NULL UNIQUE,
  sealed BYTEA NOT NULL
);
