-- Messages refused at the door, with what their producer needs to find the mistake. The text is personal
-- data: bounded in size, rows and age, and erased with the person.
DROP TABLE rejects;
CREATE TABLE rejects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    source text NOT NULL,     -- The producer's key, or the shop's source, by its name.
    reason text NOT NULL,     -- Of a closed set, as the metric's label.
    detail text NOT NULL,
    message_id text NOT NULL, -- Empty where none could be read.
    ids bytea[] NOT NULL,     -- namespace:value, of whom it was; empty where that could not be read.
    body bytea NOT NULL       -- The beginning of the text.
);
CREATE INDEX rejects_at ON rejects (at);
CREATE INDEX rejects_ids ON rejects USING gin (ids);

-- What people ask of their data through a shop: to be told of it, or to be forgotten. Kept until it was done.
CREATE TABLE privacy_requests (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request text NOT NULL UNIQUE, -- Of the delivery: one that comes again is the same request.
    source text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('export', 'erase', 'erase_shop')),
    shop text NOT NULL,
    subjects text[] NOT NULL,     -- namespace:value; of a shop none.
    orders text[] NOT NULL,       -- The orders that are meant, by the shop's ids.
    received_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
    done_at timestamptz
);
CREATE INDEX privacy_requests_open ON privacy_requests (due_at) WHERE state = 'open';
