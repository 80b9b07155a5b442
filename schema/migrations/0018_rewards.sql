-- Additive. What is learned is corrected by what became known since: `until` of such a line is when that was. And each is read with
-- its decision, beside the reward.
CREATE INDEX timeline_taken_back ON timeline (until) WHERE kind = 'take_back';
DROP INDEX timeline_rewards;
CREATE INDEX timeline_rewards ON timeline (intent) WHERE kind IN ('reward', 'take_back');

-- What had been learned when a decision was taken that names it, after its publication was pruned.
CREATE TABLE learned_versions (
    kind text NOT NULL, -- rewards, models
    version text NOT NULL,
    published_at timestamptz NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (kind, version)
);
