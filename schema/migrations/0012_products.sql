-- The shop's products as they are now, whole: read into memory at start, and asked when a message is handed over.
CREATE TABLE products (
    id text PRIMARY KEY,
    body text NOT NULL, -- JSON
    said_at timestamptz NOT NULL -- By the shop's own clock: what it said before that is out of date.
);
