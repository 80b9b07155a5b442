-- Only the newest sends and suppressions are looked for by time, and old lines in bulk: an index over all
-- lines costs every flush and helps neither.
DROP INDEX timeline_at;
CREATE INDEX timeline_triggers ON timeline (at) WHERE kind IN ('send', 'suppress');
CREATE INDEX timeline_age ON timeline USING brin (at) WITH (pages_per_range = 64);
