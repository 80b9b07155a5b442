-- Additive. The codes that messages give away. A code is leased to the process that may give it out, and given by the flush that
-- grants the message: never twice, whoever claims to own it.
CREATE TABLE coupons (
    pool text NOT NULL,
    code text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY, -- In the order of import.
    expires_at timestamptz, -- Null: never.
    lease bigint, -- Of the process that holds it ready; null: nobody's, or given.
    run uuid, -- To which run it was given; null: to none yet, zero: to somebody who was erased.
    intent uuid,
    given_at timestamptz,
    PRIMARY KEY (pool, code)
);
CREATE INDEX coupons_given ON coupons (intent) WHERE intent IS NOT NULL;
CREATE INDEX coupons_left ON coupons (pool, number) WHERE run IS NULL;
