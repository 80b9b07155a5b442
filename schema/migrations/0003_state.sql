-- What a flush writes: snapshots, the outbox, and what is on its way to another customer's log.
CREATE TABLE snapshots (
    customer bytea NOT NULL PRIMARY KEY, -- namespace:value
    partition smallint NOT NULL,
    schema_version smallint NOT NULL,
    revision bigint NOT NULL,
    applied bigint NOT NULL,
    wake_at timestamptz, -- May be too early, never too late; null: never.
    block bytea NOT NULL
) WITH (fillfactor = 70);
ALTER TABLE snapshots ALTER COLUMN block SET COMPRESSION lz4;
CREATE INDEX snapshots_wake_at ON snapshots (partition, wake_at) WHERE wake_at IS NOT NULL;

-- A ledger: one row per intent for ever, and its state.
CREATE TABLE outbox (
    intent uuid PRIMARY KEY,
    partition smallint NOT NULL,
    customer bytea NOT NULL,
    journey text NOT NULL,
    version bigint NOT NULL,
    key text NOT NULL,
    step text NOT NULL,
    channel text NOT NULL,
    template text NOT NULL,
    topic text NOT NULL,
    priority integer NOT NULL,
    delivery smallint NOT NULL,
    state text NOT NULL,
    reason text NOT NULL DEFAULT '',
    address bytea NOT NULL DEFAULT '',
    payload bytea NOT NULL DEFAULT '',
    epoch bigint NOT NULL DEFAULT 0, -- Of the process that claimed it.
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX outbox_open ON outbox (partition) WHERE state IN ('pending', 'claimed');
CREATE INDEX outbox_customer ON outbox (customer);

-- Written by the flush that ended or forwarded, deleted by the append that moves it to the other log.
CREATE TABLE transfers (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition smallint NOT NULL, -- Whence it comes.
    customer bytea NOT NULL,     -- Whose log it goes to.
    kind smallint NOT NULL,
    message_hash bigint NOT NULL,
    body bytea NOT NULL
);
