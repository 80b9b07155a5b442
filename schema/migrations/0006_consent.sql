-- Secrets of this installation, made at its first start: they sign links and key the hashes below.
CREATE TABLE service_keys (
    name text PRIMARY KEY,
    value bytea NOT NULL
);

-- Addresses that must not be written to, as keyed hashes: whoever reads the table learns no address, and
-- what is erased stays suppressed.
CREATE TABLE suppressions (
    hash bytea PRIMARY KEY,
    kind text NOT NULL,   -- Of address: email, phone, …
    reason text NOT NULL, -- bounce, complaint, stop, unsubscribed, import
    source text NOT NULL,
    at timestamptz NOT NULL
);

-- What people and the service decided, each entry bound to the one before it by its hash.
CREATE TABLE audit (
    id bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL, -- Of a customer a keyed hash.
    detail text NOT NULL,
    hash bytea NOT NULL
);

CREATE FUNCTION audit_is_written_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only ever added to';
END $$;
CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_written_once();
CREATE TRIGGER audit_table BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_written_once();

-- A STOP names a number and nothing else: whom it is of is found by what was sent there.
CREATE INDEX outbox_address ON outbox (address) WHERE address <> '';
