-- What people ask about afterwards. Bounded by age.
CREATE TABLE timeline (
    customer bytea NOT NULL,
    revision bigint NOT NULL,
    n bigint NOT NULL,
    partition smallint NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    journey text NOT NULL,
    version bigint NOT NULL,
    key text NOT NULL,
    step text NOT NULL,
    channel text NOT NULL,
    template text NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    intent uuid,
    data bytea NOT NULL, -- Packed.
    until timestamptz,
    held_out boolean NOT NULL,
    PRIMARY KEY (customer, revision, n)
);
CREATE INDEX timeline_at ON timeline (at);

-- The text of every version that a run, a record or a decision names.
CREATE TABLE publications (
    publication bigint PRIMARY KEY,
    published_at timestamptz NOT NULL,
    content text NOT NULL
);

-- Messages refused at the door.
CREATE TABLE rejects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    body bytea NOT NULL
);

-- Records that could not be applied: where they stand in the log, and why. Their customer is in quarantine
-- until an operator releases it.
CREATE TABLE parked (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition smallint NOT NULL,
    "offset" bigint NOT NULL, -- 0: a timer or a hand-over failed.
    at timestamptz NOT NULL DEFAULT now(),
    customer bytea NOT NULL,
    reason text NOT NULL
);
CREATE INDEX parked_customer ON parked (customer, id);
CREATE UNIQUE INDEX parked_record ON parked (partition, "offset") WHERE "offset" > 0;

-- What the sandbox channel would have sent.
CREATE TABLE sandbox_messages (
    intent uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    customer bytea NOT NULL,
    channel text NOT NULL,
    address bytea NOT NULL,
    payload bytea NOT NULL
);
CREATE INDEX sandbox_messages_at ON sandbox_messages (at);
