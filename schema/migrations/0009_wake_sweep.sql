-- How far waking everybody has come, after a publication under which time does something else.
CREATE TABLE wake_sweep (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    reason bigint NOT NULL, -- Of what was published; another one begins anew.
    after bytea NOT NULL DEFAULT '', -- The customer woken last, in the order of the key.
    done boolean NOT NULL DEFAULT false
);
