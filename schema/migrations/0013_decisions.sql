-- What is learned of decisions is read by the end of the time in which their reward may come, and each reward by its
-- decision. Few lines of a timeline are either.
CREATE INDEX timeline_decisions ON timeline (until) WHERE kind = 'decide' AND until IS NOT NULL;
CREATE INDEX timeline_rewards ON timeline (intent) WHERE kind = 'reward';
